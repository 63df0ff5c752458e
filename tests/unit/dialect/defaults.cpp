// A model's `defaults`: what the client left out.
#include "support.hpp"

using namespace tollgate;
using namespace tollgate::wire;
using namespace tollgate::wire::test;

namespace {

std::vector<std::string> missing_names(const RequestView& view) {
  std::vector<std::string> names;
  for (const RawField* field : view.missing_defaults())
    names.push_back(field->first);
  return names;
}

}  // namespace

TEST_CASE("defaults fill what is missing and never what was sent") {
  const std::vector<RawField> defaults{{"temperature", "0.5"}, {"top_p", "0.25"}, {"acme", "[1]"}};
  const std::string body = chat_with(R"("temperature":1)");
  auto view = read_body(body);
  view->set_defaults(&defaults);
  CHECK(missing_names(*view) == std::vector<std::string>{"top_p", "acme"});
  const auto request = view->chat();
  REQUIRE(request);
  CHECK((*request)->temperature == 1.0);
  CHECK((*request)->top_p == 0.25);
  CHECK((*request)->other == std::vector<RawField>{{"acme", "[1]"}});
}

TEST_CASE("a null of the client's is not a value") {
  const std::vector<RawField> defaults{{"temperature", "0.5"}};
  const std::string body = chat_with(R"("temperature":null)");
  auto view = read_body(body);
  view->set_defaults(&defaults);
  CHECK((*view->chat())->temperature == 0.5);
}

TEST_CASE("either name of the token limit is the client's word on it") {
  const std::vector<RawField> defaults{{"max_tokens", "100"}};
  const std::string body = chat_with(R"("max_completion_tokens":7)");
  auto view = read_body(body);
  view->set_defaults(&defaults);
  CHECK(missing_names(*view).empty());
  CHECK(view->max_tokens == 7);
  CHECK((*view->chat())->max_tokens == 7);
}

TEST_CASE("the shallow fields follow the defaults") {
  const std::vector<RawField> defaults{
      {"max_completion_tokens", "100"}, {"n", "2"}, {"user", R"("shop")"}};
  const std::string body = chat_with("");
  auto view = read_body(body);
  view->set_defaults(&defaults);
  CHECK(view->max_tokens == 100);
  CHECK(view->n == 2);
  CHECK(view->user == "shop");
}

TEST_CASE("a default of the wrong type is not the client's fault") {
  const std::vector<RawField> defaults{{"temperature", R"("warm")"}};
  const std::string body = chat_with("");
  auto view = read_body(body);
  view->set_defaults(&defaults);
  const auto request = view->chat();
  REQUIRE(!request);
  CHECK(request.error().status == 500);
  CHECK(request.error().detail.find("temperature") != std::string::npos);
}

TEST_CASE("no defaults, nothing missing") {
  CHECK(read_body(chat_with(""))->missing_defaults().empty());
}
