#include <doctest/doctest.h>

#include "tests/unit/gemini/support.hpp"

using namespace tollgate;
using namespace tollgate::routing::gemini::test;

namespace {

std::string chat(std::string_view messages) {
  return R"({"model":"m","messages":[)" + std::string(messages) + "]}";
}
/// `contents` and what stands before it.
std::string turns(std::string_view messages, std::string_view model = "gemini-2.5-flash") {
  const Sent sent = encode(chat(messages), {.model = model});
  CHECK(sent.error_param == "");
  return sent.body;
}

constexpr std::string_view call =
    R"({"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function",)"
    R"("function":{"name":"f","arguments":"{\"a\":1}"}}]})";

}  // namespace

TEST_CASE("all instructions become one, wherever they stand") {
  CHECK(turns(R"({"role":"system","content":"A"},{"role":"user","content":"hi"},)"
              R"({"role":"developer","content":[{"type":"text","text":"B"}]})") ==
        R"({"systemInstruction":{"parts":[{"text":"A\n\nB"}]},)"
        R"("contents":[{"role":"user","parts":[{"text":"hi"}]}]})");
}

TEST_CASE("instructions alone get a user turn beside them") {
  CHECK(turns(R"({"role":"system","content":"A"})") ==
        R"({"systemInstruction":{"parts":[{"text":"A"}]},)"
        R"("contents":[{"role":"user","parts":[{"text":" "}]}]})");
}

TEST_CASE("Gemma has no instructions: they open the first user turn") {
  CHECK(turns(R"({"role":"system","content":"A"},{"role":"user","content":"hi"})",
              "gemma-3-27b-it") ==
        R"({"contents":[{"role":"user","parts":[{"text":"A"},{"text":"hi"}]}]})");
}

TEST_CASE("one role in a row is one turn; empty texts and empty turns go") {
  CHECK(turns(R"({"role":"user","content":"a"},{"role":"user","content":""},)"
              R"({"role":"user","content":"b"},{"role":"assistant","content":""},)"
              R"({"role":"assistant","content":"c"})") ==
        R"({"contents":[{"role":"user","parts":[{"text":"a"},{"text":"b"}]},)"
        R"({"role":"model","parts":[{"text":"c"}]}]})");
}

TEST_CASE("a conversation opens with the user") {
  CHECK(turns(R"({"role":"assistant","content":"a"},{"role":"user","content":"b"})") ==
        R"({"contents":[{"role":"user","parts":[{"text":" "}]},)"
        R"({"role":"model","parts":[{"text":"a"}]},{"role":"user","parts":[{"text":"b"}]}]})");
}

TEST_CASE("results are one turn in the order of the calls, apart from what the user says") {
  const std::string body = turns(
      R"({"role":"user","content":"hi"},{"role":"assistant","tool_calls":[)"
      R"({"id":"c1","type":"function","function":{"name":"f","arguments":""}},)"
      R"({"id":"c2","type":"function","function":{"name":"g","arguments":"{}"}}]},)"
      R"({"role":"tool","tool_call_id":"c2","content":"{\"x\":1e400}"},)"
      R"({"role":"tool","tool_call_id":"c1","content":"[1]"},{"role":"user","content":"go"})");
  CHECK(body.contains(
      R"({"role":"model","parts":[{"functionCall":{"name":"f","args":{}}},)"
      R"({"functionCall":{"name":"g","args":{}}}]},)"
      R"({"role":"user","parts":[{"functionResponse":{"name":"f","response":{"output":"[1]"}}},)"
      R"({"functionResponse":{"name":"g","response":{"x":1e400}}}]},)"
      R"({"role":"user","parts":[{"text":"go"}]})"));
}

TEST_CASE("a result that answers nothing is a 400 at its place") {
  const Sent sent = encode(
      chat(R"({"role":"user","content":"hi"},{"role":"tool","tool_call_id":"no","content":"x"})"));
  CHECK(sent.error_param == "messages[1].tool_call_id");
  CHECK(sent.error_kind == ErrorKind::invalid_request);
}

TEST_CASE("the name of a repeated id is the latest") {
  const std::string body =
      turns(R"({"role":"user","content":"hi"},{"role":"assistant","tool_calls":[)"
            R"({"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},)"
            R"({"role":"tool","tool_call_id":"c","content":"1"},{"role":"assistant","tool_calls":[)"
            R"({"id":"c","type":"function","function":{"name":"g","arguments":"{}"}}]},)"
            R"({"role":"tool","tool_call_id":"c","content":"2"})");
  CHECK(body.contains(R"({"functionResponse":{"name":"f","response":{"output":"1"}}})"));
  CHECK(body.contains(R"({"functionResponse":{"name":"g","response":{"output":"2"}}})"));
}

TEST_CASE("arguments that are no object are kept under a name") {
  const auto with_arguments = [](std::string_view text) {
    return turns(R"({"role":"user","content":"hi"},{"role":"assistant","tool_calls":[{"id":"c",)"
                 R"("type":"function","function":{"name":"f","arguments":)" +
                 std::string(text) + "}}]}");
  };
  CHECK(with_arguments(R"("null")").contains(R"("args":{})"));
  CHECK(with_arguments(R"("{\"a\":")").contains(R"("args":{"arguments":"{\"a\":"}})"));
  CHECK(with_arguments(R"("{\"a\":12345678901234567890}")")
            .contains(R"("args":{"a":12345678901234567890}})"));
}

TEST_CASE("Gemini 3 gets ids, and a stand-in where a call of this turn has lost its signature") {
  const std::string history = R"({"role":"user","content":"hi"},)" + std::string(call) +
                              R"(,{"role":"tool","tool_call_id":"c1","content":"1"})";
  CHECK(turns(history, "gemini-3-pro-preview")
            .contains(R"({"functionCall":{"id":"c1","name":"f","args":{"a":1}},)"
                      R"("thoughtSignature":"skip_thought_signature_validator"})"));
  CHECK(turns(history, "gemini-3-pro-preview")
            .contains(R"({"functionResponse":{"id":"c1","name":"f")"));
  // Of a turn that is over nobody asks for signatures.
  CHECK(!turns(history + R"(,{"role":"assistant","content":"1"},{"role":"user","content":"ok"})",
               "gemini-3-pro-preview")
             .contains("thoughtSignature"));
  CHECK(!turns(history, "gemini-2.5-flash").contains("thoughtSignature"));
}

TEST_CASE("a signature that came back is sent, and only the first call of several has one") {
  const std::string body =
      turns(R"({"role":"user","content":"hi"},{"role":"assistant","tool_calls":[)"
            R"({"id":"a","type":"function","function":{"name":"f","arguments":"{}"},)"
            R"("extra_content":{"google":{"thought_signature":"c2ln"}}},)"
            R"({"id":"b","type":"function","function":{"name":"g","arguments":"{}"}}]})",
            "gemini-3.5-flash");
  CHECK(body.contains(R"("args":{}},"thoughtSignature":"c2ln"})"));
  CHECK(!body.contains("skip_thought"));
}

TEST_CASE("pictures in a result follow it") {
  const std::string body =
      turns(R"({"role":"user","content":"hi"},)" + std::string(call) +
            R"(,{"role":"tool","tool_call_id":"c1","content":[{"type":"text","text":"see"},)"
            R"({"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]})");
  CHECK(body.contains(R"({"functionResponse":{"name":"f","response":{"output":"see"}}}]},)"
                      R"({"role":"user","parts":[{"inlineData":)"));
}
