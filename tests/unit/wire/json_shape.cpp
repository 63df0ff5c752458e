#include "gateway/wire/json_shape.hpp"

#include <doctest/doctest.h>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace tollgate;
using namespace tollgate::wire;

namespace {

std::string nested(int depth) {
  // The object itself is the first level.
  return "{\"a\":" + std::string(static_cast<std::size_t>(depth - 1), '[') +
         std::string(static_cast<std::size_t>(depth - 1), ']') + "}";
}

Error refusal(std::string_view body, int depth_max = 64) {
  auto shape = JsonShape::read(body, depth_max);
  REQUIRE_FALSE_MESSAGE(shape.has_value(), body);
  return shape.error();
}

bool accepts(std::string_view body) { return JsonShape::read(body).has_value(); }

}  // namespace

TEST_CASE("json_shape: names, values and offsets are views into the body") {
  const std::string body =
      " { \"model\" : \"gpt-4o\" ,\n\t\"n\":1,\"messages\": [ {\"a\":{}} , 2 ] , \"x\":null }\r\n";
  auto shape = JsonShape::read(body);
  REQUIRE(shape.has_value());
  REQUIRE(shape->fields().size() == 4);
  CHECK(shape->insert_at() == 2);
  const JsonField* model = shape->find("model");
  REQUIRE(model != nullptr);
  CHECK(model->value == "\"gpt-4o\"");
  CHECK(body.substr(model->name_at, 7) == "\"model\"");
  CHECK(body.substr(model->value_at(body), 8) == "\"gpt-4o\"");
  CHECK(shape->find("messages")->value == "[ {\"a\":{}} , 2 ]");
  CHECK(shape->find("n")->value == "1");
  CHECK(shape->find("x") == nullptr);
  CHECK(shape->fields()[3].is_null());
  CHECK(shape->find("nope") == nullptr);
}

TEST_CASE("json_shape: an escaped name is its plain self, also after a move") {
  const std::string body = R"({"mod\u0065l":"a","\u00e4\ud834\udd1e\"":1})";
  auto read = JsonShape::read(body);
  REQUIRE(read.has_value());
  const JsonShape shape = std::move(*read);
  REQUIRE(shape.find("model") != nullptr);
  CHECK(shape.find("model")->value == "\"a\"");
  CHECK(shape.find("ä𝄞\"") != nullptr);
}

TEST_CASE("json_shape: a name that comes twice is refused, however it is written") {
  for (const std::string_view body :
       {R"({"model":"a","model":"b"})", R"({"model":"a","mod\u0065l":"b"})",
        R"({"m\u006fdel":null,"\u006dodel":1})", R"({"":1,"":2})"}) {
    CAPTURE(body);
    CHECK(refusal(body).kind == ErrorKind::invalid_request);
  }
  const Error error = refusal(R"({"a":1,"model":"x","model":"y"})");
  CHECK(error.param == "model");
  CHECK(error.message == "The request body has the member 'model' twice.");
  CHECK_MESSAGE(accepts(R"({"a":{"b":1,"b":2}})"), "only the top level decides about routes");
}

TEST_CASE("json_shape: duplicates are found among many, and there is a limit") {
  const auto many = [](int count) {
    std::string body = "{\"k0\":0";
    for (int i = 1; i < count; ++i)
      body += ",\"k" + std::to_string(i) + "\":0";
    return body;
  };
  CHECK(accepts(many(1024) + "}"));
  CHECK(refusal(many(100) + ",\"k77\":1}").param == "k77");
  CHECK(refusal(many(33) + ",\"k\\u0030\":1}").param == "k0");
  CHECK(refusal(many(1025) + "}").message.find("1024") != std::string::npos);
}

TEST_CASE("json_shape: content is never echoed") {
  const Error error = refusal("{\"my secret name!\":1,\"my secret name!\":2}");
  CHECK(error.message.find("secret") == std::string::npos);
  CHECK(error.param.empty());
  CHECK(refusal("{\"a\":hunter2}").message.find("hunter") == std::string::npos);
}

TEST_CASE("json_shape: depth is counted over the whole body") {
  CHECK(accepts(nested(64)));
  CHECK(refusal(nested(65)).message.find("too deeply") != std::string::npos);
  CHECK(JsonShape::read(nested(3), 3).has_value());
  CHECK_FALSE(JsonShape::read(nested(4), 3).has_value());
  CHECK_FALSE(JsonShape::read("{}", 0).has_value());
  CHECK_MESSAGE(!JsonShape::read(nested(100000), std::numeric_limits<int>::max()).has_value(),
                "no limit of a caller may exhaust the stack");
  CHECK_MESSAGE(accepts("{\"a\":[[1],[[2]],{\"b\":[3]}],\"c\":[[[]]]}"), "siblings do not add up");
}

TEST_CASE("json_shape: what is JSON") {
  for (const std::string_view body :
       {"{}", " {} ", "{\"a\":0}", "{\"a\":-0}", "{\"a\":-1.5e+10}", "{\"a\":1E5}", "{\"a\":1e-5}",
        "{\"a\":0.0}", "{\"a\":true,\"b\":false,\"c\":null}", "{\"a\":[]}", "{\"a\":[ ]}",
        "{\"a\":{ }}", "{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00Af\"}", "{\"a\":\"\\ud800\"}",
        "{\"a\":\"\\udc00\\ud800x\"}", "{\"a\":\"\x7F\"}", "{\"a\":\"\\u0000\"}",
        "{\"a\":123456789012345678901234567890}", "{\"a\":1e999}"}) {
    CAPTURE(body);
    CHECK(accepts(body));
  }
}

TEST_CASE("json_shape: what is no JSON") {
  for (const std::string_view body : {"",
                                      " ",
                                      "{",
                                      "}",
                                      "{]",
                                      "[]",
                                      "\"a\"",
                                      "1",
                                      "null",
                                      "{\"a\"}",
                                      "{\"a\":}",
                                      "{\"a\":1",
                                      "{\"a\":1,}",
                                      "{,}",
                                      "{,\"a\":1}",
                                      "{\"a\":1 \"b\":2}",
                                      "{\"a\" 1}",
                                      "{a:1}",
                                      "{'a':1}",
                                      "{\"a\":1}}",
                                      "{\"a\":1} x",
                                      "{}{}",
                                      "{\"a\":[1,]}",
                                      "{\"a\":[,1]}",
                                      "{\"a\":[1 2]}",
                                      "{\"a\":[1}",
                                      "{\"a\":{]}",
                                      "{\"a\":tru}",
                                      "{\"a\":True}",
                                      "{\"a\":nul}",
                                      "{\"a\":NaN}",
                                      "{\"a\":Infinity}",
                                      "{\"a\":+1}",
                                      "{\"a\":01}",
                                      "{\"a\":-}",
                                      "{\"a\":-01}",
                                      "{\"a\":1.}",
                                      "{\"a\":.5}",
                                      "{\"a\":1e}",
                                      "{\"a\":1e+}",
                                      "{\"a\":0x10}",
                                      "{\"a\":1_000}",
                                      "{\"a\":\"}",
                                      "{\"a\":\"\\\"}",
                                      "{\"a\":\"\\x41\"}",
                                      "{\"a\":\"\\u12\"}",
                                      "{\"a\":\"\\u12G4\"}",
                                      "{\"a\":\"\\u",
                                      "{\"a\":\"\\",
                                      "{\"a\":\"\n\"}",
                                      "{\"a\":\"\t\"}",
                                      "{\"a\":\"\x1F\"}",
                                      "{\"a\nb\":1}",
                                      "{//c\n}",
                                      "{/**/}",
                                      "{\"a\":truefalse}",
                                      "{\"a\":nullx}",
                                      "{\"a\":1a}",
                                      "{\"a\":\"x\"y}",
                                      "\v{}",
                                      "{}\f"}) {
    CAPTURE(body);
    const Error error = refusal(body);
    CHECK(error.kind == ErrorKind::invalid_request);
    CHECK(error.status == 400);
    CHECK(error.message.starts_with("The request body "));
  }
}

TEST_CASE("json_shape: NUL, broken UTF-8 and a byte order mark have their own words") {
  using namespace std::string_view_literals;
  CHECK(refusal("{\"a\":\"\0\"}"sv).message.find("NUL") != std::string::npos);
  CHECK(refusal("{}\0"sv).message.find("NUL") != std::string::npos);
  CHECK(refusal("\xEF\xBB\xBF{}").message.find("byte order mark") != std::string::npos);
  CHECK(refusal("").message.find("empty") != std::string::npos);
  for (const std::string_view body :
       {"{\"a\":\"\xFF\"}", "{\"\xC3\":1}", "{\"a\":\"\xED\xA0\x80\"}", "{\"a\":[\"\xC0\x80\"]}"}) {
    CHECK(refusal(body).message.find("UTF-8") != std::string::npos);
  }
}

TEST_CASE("json_shape: broken UTF-8 is found wherever it stands, and told before other faults") {
  for (std::size_t length = 0; length < 300; length += 7) {
    for (std::size_t at = 0; at <= length; at += 5) {
      std::string text(length, 'x');
      CAPTURE(length);
      CAPTURE(at);
      REQUIRE(accepts("{\"a\":\"" + std::string(text).insert(at, "\u00e9") + "\"}"));
      text.insert(at, 1, '\xE9');
      for (const std::string& body : {"{\"a\":\"" + text + "\"}", "{\"" + text + "\":[\"b\"]}",
                                      "{\"a\":[1,,\"" + text + "\"]}", "{\"a\":{}}" + text}) {
        REQUIRE(refusal(body).message.find("UTF-8") != std::string::npos);
      }
    }
  }
}

TEST_CASE("json_shape: a body cut at any byte is refused") {
  const std::string body =
      R"({"model":"x","n":[1,-2.5e3,true,{"k":"\u00e4\n"}],"s":"long enough for a whole block"})";
  REQUIRE(accepts(body));
  for (std::size_t length = 0; length < body.size(); ++length) {
    const std::string cut = body.substr(0, length);
    CAPTURE(cut);
    CHECK_FALSE(accepts(cut));
  }
}

TEST_CASE("json_string: escapes, surrogates, and nothing but a string") {
  CHECK(json_string(R"("")") == "");
  CHECK(json_string(R"("a\"\\\/\b\f\n\r\tz")") == "a\"\\/\b\f\n\r\tz");
  CHECK(json_string(R"("\u0041\u00e4\u20AC\ud834\udd1E")") == "Aä€𝄞");
  CHECK(json_string(R"("\u0000")") == std::string(1, '\0'));
  constexpr std::string_view lone = "\xEF\xBF\xBD";
  CHECK(json_string(R"("\ud800")") == lone);
  CHECK(json_string(R"("\udc00")") == lone);
  CHECK(json_string(R"("\ud800x")") == std::string(lone) + "x");
  CHECK(json_string(R"("\ud800\u0041")") == std::string(lone) + "A");
  CHECK(json_string(R"("\ud800\ud834\udd1e")") == std::string(lone) + "𝄞");
  CHECK(json_string(R"("\ud800\n")") == std::string(lone) + "\n");
  for (const std::string_view text : {"", "a", "\"", "\"a", "\"a\"b", "1", "null", "\"\\u12\"",
                                      "\"\\q\"", "\"\n\"", "[\"a\"]", " \"a\""}) {
    CAPTURE(text);
    CHECK_FALSE(json_string(text).has_value());
  }
}

TEST_CASE("json_int: whole numbers in every spelling") {
  CHECK(json_int("5") == 5);
  CHECK(json_int("-0") == 0);
  CHECK(json_int("5.0") == 5);
  CHECK(json_int("5.000") == 5);
  CHECK(json_int("1e3") == 1000);
  CHECK(json_int("1.5e1") == 15);
  CHECK(json_int("-12e-1") == std::nullopt);
  CHECK(json_int("9223372036854775807") == std::numeric_limits<std::int64_t>::max());
  CHECK(json_int("9007199254740993.0") == 9007199254740993);
  for (const std::string_view text : {"", "5.5", "+5", "05", "5.", "\"5\"", "true", "null", "1e99",
                                      "9223372036854775808", "5 ", "5,5", "0x5", "1e400"}) {
    CAPTURE(text);
    CHECK_FALSE(json_int(text).has_value());
  }
}

TEST_CASE("json_double and json_bool take exactly their kind") {
  CHECK(json_double("0.7") == 0.7);
  CHECK(json_double("-1e2") == -100.0);
  CHECK(json_double("3") == 3.0);
  for (const std::string_view text : {"", "nan", "inf", ".5", "1.", "\"1\"", "1e999", "1 2"})
    CHECK_FALSE(json_double(text).has_value());
  CHECK(json_bool("true") == true);
  CHECK(json_bool("false") == false);
  for (const std::string_view text : {"", "1", "\"true\"", "True", "null"})
    CHECK_FALSE(json_bool(text).has_value());
}

TEST_CASE("json_shape: messages of nothing but strings are known as plain, and counted") {
  const auto plain = [](std::string_view messages) {
    const auto shape = JsonShape::read("{\"messages\":" + std::string(messages) + "}");
    REQUIRE_MESSAGE(shape.has_value(), messages);
    return shape->plain_messages();
  };
  CHECK(plain("[]") == 0);
  CHECK(
      plain(R"([ {"role":"user","content":"a"} , {"r\u006Fle":"user","content":"","name":"n"}])") ==
      2);
  CHECK_FALSE(plain(R"([{"role":"user","content":[]}])"));
  CHECK_FALSE(plain(R"([{"role":"user","content":null}])"));
  CHECK_FALSE(plain(R"([{"role":"user","content":"a"},{"audio":"b"}])"));
  CHECK_FALSE(plain(R"(["a"])"));
  CHECK_FALSE(plain(R"({"role":"user"})"));
  CHECK_FALSE(JsonShape::read(R"({"a":{"messages":[{"role":"user"}]}})")->plain_messages());
  CHECK(JsonShape::read(R"({"messages":[{"watch":1}]})", 64, "watch")->saw_watched());
  CHECK(refusal(R"({"messages":[{"role":"user",}]})").kind == ErrorKind::invalid_request);
}
