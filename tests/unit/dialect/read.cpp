// The shallow look at requests.
#include "support.hpp"

using namespace tollgate;
using namespace tollgate::wire;
using namespace tollgate::wire::test;

namespace {

void check_refused(Endpoint endpoint, const std::string& body, std::string_view param) {
  const auto view = read_body(body, endpoint);
  REQUIRE_MESSAGE(!view, body);
  CHECK(view.error().status == 400);
  CHECK_MESSAGE(view.error().param == param, body);
  CHECK(view.error().code == "invalid_request_error");
}

std::string embed(std::string_view input) {
  return std::string(R"({"model":"m","input":)").append(input).append("}");
}

}  // namespace

TEST_CASE("a chat request as everybody needs it") {
  const std::string body =
      chat_with(R"("stream":true,"stream_options":{"include_usage":true},"n":3,"max_tokens":5,)"
                R"("max_completion_tokens":9,"user":"u","safety_identifier":"s")");
  const auto view = read_body(body);
  REQUIRE(view);
  CHECK(view->model == "m");
  CHECK(view->stream);
  CHECK(view->include_usage);
  CHECK(view->n == 3);
  CHECK(view->max_tokens == 9);
  CHECK(view->user == "u");
  CHECK(view->body == body);
  CHECK(view->dialect == &openai_chat());
  CHECK(view->endpoint == Endpoint::chat);
}

TEST_CASE("what is left out or null takes its ordinary value") {
  const auto view = read_body(
      chat_with(R"("stream":null,"stream_options":null,"n":null,"max_tokens":null,"user":null)"));
  REQUIRE(view);
  CHECK_FALSE(view->stream);
  CHECK_FALSE(view->include_usage);
  CHECK(view->n == 1);
  CHECK_FALSE(view->max_tokens);
  CHECK(view->user.empty());
}

TEST_CASE("the larger limit counts, whichever name it has") {
  CHECK(read_body(chat_with(R"("max_tokens":50,"max_completion_tokens":9)"))->max_tokens == 50);
  CHECK(read_body(chat_with(R"("max_completion_tokens":9)"))->max_tokens == 9);
}

TEST_CASE("safety_identifier stands in for user, in either order") {
  CHECK(read_body(chat_with(R"("safety_identifier":"s")"))->user == "s");
  CHECK(read_body(chat_with(R"("user":"u","safety_identifier":"s")"))->user == "u");
  CHECK(read_body(chat_with(R"("safety_identifier":"s","user":"u")"))->user == "u");
}

TEST_CASE("an escaped name is the name it means") {
  const std::string body = R"({"mod\u0065l":"g\u0070t","messages":[{}]})";
  CHECK(read_body(body)->model == "gpt");
}

TEST_CASE("messages are not decoded by the shallow look") {
  CHECK(read_body(R"({"model":"m","messages":[{"role":"nobody"}],"temperature":"warm"})"));
}

TEST_CASE("wrong chat requests name their parameter") {
  const auto refused = [](const std::string& body, std::string_view param) {
    check_refused(Endpoint::chat, body, param);
  };
  refused(R"({"messages":[{}]})", "model");
  refused(R"({"model":null,"messages":[{}]})", "model");
  refused(R"({"model":"","messages":[{}]})", "model");
  refused(R"({"model":7,"messages":[{}]})", "model");
  refused(R"({"model":"m"})", "messages");
  refused(R"({"model":"m","messages":null})", "messages");
  refused(R"({"model":"m","messages":[]})", "messages");
  refused(R"({"model":"m","messages":{}})", "messages");
  refused(chat_with(R"("stream":"yes")"), "stream");
  refused(chat_with(R"("stream_options":true)"), "stream_options");
  refused(chat_with(R"("stream_options":{"include_usage":1})"), "stream_options.include_usage");
  refused(chat_with(R"("n":0)"), "n");
  refused(chat_with(R"("n":129)"), "n");
  refused(chat_with(R"("n":1.5)"), "n");
  refused(chat_with(R"("max_tokens":0)"), "max_tokens");
  refused(chat_with(R"("max_completion_tokens":-1)"), "max_completion_tokens");
  refused(chat_with(R"("max_tokens":"12")"), "max_tokens");
  refused(chat_with(R"("user":5)"), "user");
  refused(chat_with(R"("safety_identifier":[])"), "safety_identifier");
}

TEST_CASE("the message says what was expected and what came, never the content") {
  const auto view = read_body(chat_with(R"("stream":"secret")"));
  REQUIRE(!view);
  CHECK(view.error().message ==
        "Invalid type for 'stream': expected a boolean, but got a string instead.");
}

TEST_CASE("a body that is no object is refused without a parameter") {
  check_refused(Endpoint::chat, "[]", "");
  check_refused(Endpoint::chat, "{", "");
  check_refused(Endpoint::chat, "", "");
}

TEST_CASE("legacy functions are seen, unless tools are sent too") {
  CHECK_FALSE(read_body(chat_with(""))->legacy_functions);
  CHECK(read_body(chat_with(R"("functions":[{"name":"f"}])"))->legacy_functions);
  CHECK_FALSE(read_body(chat_with(R"("functions":[{"name":"f"}],"tools":[])"))->legacy_functions);
}

TEST_CASE("completions need a prompt and may ask for no tokens") {
  const auto view = read_body(R"({"model":"m","prompt":"p","max_tokens":0,"stream":true})",
                              Endpoint::completions);
  REQUIRE(view);
  CHECK(view->stream);
  CHECK(view->max_tokens == 0);
  CHECK(read_body(R"({"model":"m","prompt":["a","b"]})", Endpoint::completions));
  CHECK(read_body(R"({"model":"m","prompt":[1,2]})", Endpoint::completions));
  check_refused(Endpoint::completions, R"({"model":"m"})", "prompt");
  check_refused(Endpoint::completions, R"({"model":"m","prompt":[]})", "prompt");
  check_refused(Endpoint::completions, R"({"model":"m","prompt":5})", "prompt");
}

TEST_CASE("embeddings take texts and tokens") {
  for (const std::string_view input :
       {R"("a")", R"(["a","b"])", "[1,2,3]", "[[1],[2,3]]", R"(" ")"}) {
    CHECK_MESSAGE(read_body(embed(input), Endpoint::embeddings), input);
  }
  CHECK(read_body(R"({"model":"m","input":"a","encoding_format":"base64"})", Endpoint::embeddings)
            ->base64);
  CHECK_FALSE(
      read_body(R"({"model":"m","input":"a","encoding_format":"float"})", Endpoint::embeddings)
          ->base64);
  CHECK_FALSE(read_body(R"({"model":"m","input":"a","encoding_format":null})", Endpoint::embeddings)
                  ->base64);
}

TEST_CASE("wrong embeddings name their parameter") {
  const auto refused = [](const std::string& body, std::string_view param) {
    check_refused(Endpoint::embeddings, body, param);
  };
  refused(R"({"model":"m"})", "input");
  refused(embed(R"("")"), "input");
  refused(embed("[]"), "input");
  refused(embed("5"), "input");
  refused(embed(R"(["a",""])"), "input[1]");
  refused(embed("[[]]"), "input[0]");
  refused(embed(R"(["a",1])"), "input[1]");
  refused(embed("[null]"), "input[0]");
  refused(R"({"model":"m","input":"a","encoding_format":"int8"})", "encoding_format");
  refused(R"({"model":"m","input":"a","encoding_format":4})", "encoding_format");
}

TEST_CASE("at most 2048 inputs, but a text of any number of tokens") {
  const auto many = [](std::size_t count, std::string_view item) {
    std::string list = "[";
    for (std::size_t i = 0; i < count; ++i)
      list.append(i == 0 ? "" : ",").append(item);
    return embed(list + "]");
  };
  CHECK(read_body(many(2048, R"("a")"), Endpoint::embeddings));
  check_refused(Endpoint::embeddings, many(2049, R"("a")"), "input");
  check_refused(Endpoint::embeddings, many(2049, "[1]"), "input");
  CHECK(read_body(many(4000, "1"), Endpoint::embeddings));
}
