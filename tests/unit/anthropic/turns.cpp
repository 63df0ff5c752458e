#include <doctest/doctest.h>

#include "routing/providers/anthropic_request.hpp"

using namespace tollgate;
using namespace tollgate::routing::anthropic;

namespace {

Message said(Role role, std::string_view text) {
  Message message;
  message.role = role;
  if (!text.empty()) message.content.push_back({TextPart{std::string(text)}, {}});
  return message;
}
Message called(std::initializer_list<std::string_view> ids) {
  Message message = said(Role::assistant, "");
  for (const std::string_view id : ids)
    message.tool_calls.push_back({std::string(id), "f", "{}", "", false, ""});
  return message;
}
Message answered(std::string_view id, std::string_view text) {
  Message message = said(Role::tool, text);
  message.tool_call_id = id;
  return message;
}

/// "U(hello|result a) A(hi)": the turns; blocks that are no text by their type and id.
std::string turns_of(std::vector<Message> messages, bool prefill = false) {
  ChatRequest request;
  request.messages = std::move(messages);
  Notes notes;
  auto prompt = build_prompt(request, true, notes);
  REQUIRE(prompt);
  settle_turns(*prompt, prefill);
  std::string out;
  for (const Turn& turn : prompt->turns) {
    out += out.empty() ? "" : " ";
    out += turn.assistant ? "A(" : "U(";
    for (const Block& block : turn.blocks) {
      if (&block != &turn.blocks.front()) out += "|";
      out += block.is_text ? block.text : block.json.substr(9, block.json.find('"', 9) - 9);
    }
    out += ")";
  }
  return out;
}

}  // namespace

TEST_CASE("system and developer are taken out in their order") {
  ChatRequest request;
  request.messages = {said(Role::system, "one"), said(Role::user, "hi"),
                      said(Role::developer, "two")};
  Notes notes;
  const auto prompt = build_prompt(request, true, notes);
  REQUIRE(prompt);
  REQUIRE(prompt->system.size() == 2);
  CHECK(prompt->system[0].text == "one");
  CHECK(prompt->system[1].text == "two");
  CHECK(prompt->turns.size() == 1);
}

TEST_CASE("turns of one role are merged, also across a system message") {
  CHECK(turns_of({said(Role::user, "a"), said(Role::user, "b"), said(Role::assistant, "c"),
                  said(Role::assistant, "d"), said(Role::user, "e"), said(Role::system, "s"),
                  said(Role::user, "f")}) == "U(a|b) A(c|d) U(e|f)");
}

TEST_CASE("results stand first in the turn behind their calls") {
  CHECK(turns_of({said(Role::user, "q"), called({"x", "y"}), answered("x", "1"),
                  said(Role::user, "wait"), answered("y", "2")}) ==
        "U(q) A(tool_use|tool_use) U(tool_result|tool_result|wait)");
}

TEST_CASE("empty and blank words leave no block, an empty user turn is filled") {
  CHECK(turns_of({said(Role::user, "a"), said(Role::assistant, ""), said(Role::user, "b")}) ==
        "U(a|b)");
  CHECK(turns_of({said(Role::user, " \n")}) == "U(Continue.)");
  CHECK(turns_of({said(Role::user, "a"), said(Role::assistant, "b"), said(Role::user, "")}) ==
        "U(a) A(b) U(Continue.)");
  CHECK(turns_of({said(Role::system, "only")}) == "U(Continue.)");
}

TEST_CASE("the user speaks first") {
  CHECK(turns_of({said(Role::assistant, "hello"), said(Role::user, "hi")}) ==
        "U(Continue.) A(hello) U(hi)");
}

TEST_CASE("a last assistant turn is continued or answered") {
  const std::vector<Message> messages{said(Role::user, "a"), said(Role::assistant, "b {  \n")};
  CHECK(turns_of(messages, true) == "U(a) A(b {)");
  CHECK(turns_of(messages, false) == "U(a) A(b {  \n) U(Continue.)");
}

TEST_CASE("thinking comes before words and calls; foreign and unsigned thoughts do not come") {
  Message message = called({"x"});
  message.content.push_back({TextPart{"words"}, {}});
  message.thinking = {{"mine", "c2lnbmF0dXJl", ""},
                      {"unsigned", "", ""},
                      {"foreign", "not base64!", ""},
                      {"", "", "cmVk"},
                      {"", "c2ln", ""}};
  CHECK(turns_of({said(Role::user, "q"), message, answered("x", "1")}) ==
        "U(q) A(thinking|redacted_thinking|thinking|words|tool_use) U(tool_result)");
}

TEST_CASE("parts without an equivalent are named") {
  ChatRequest request;
  Message message = said(Role::user, "listen");
  message.content_is_string = false;
  message.content.push_back({AudioPart{"AAAA", "wav"}, {}});
  request.messages = {message};
  Notes notes;
  const auto prompt = build_prompt(request, true, notes);
  REQUIRE(!prompt);
  CHECK(prompt.error().param == "messages[0].content[1]");
  CHECK(prompt.error().code == "unsupported_parameter");
}
