#include <doctest/doctest.h>

#include "routing/providers/anthropic_request.hpp"

using namespace tollgate;
using namespace tollgate::routing::anthropic;

namespace {

struct Got {
  std::string json, effort, dropped;
  bool on = false;
};

Got plan(const ChatRequest& request, std::string_view model, std::int64_t limit = 64000,
         bool forced = false) {
  Notes notes;
  const auto planned = plan_thinking(request, model_traits(model), limit, forced, notes);
  REQUIRE(planned);
  return {planned->json, planned->effort, notes.dropped.empty() ? "" : notes.dropped.front(),
          planned->on};
}

ChatRequest effort(std::string_view name) {
  ChatRequest request;
  request.reasoning_effort = name;
  return request;
}
ChatRequest native(std::string_view json) {
  ChatRequest request;
  request.thinking_json = json;
  return request;
}

constexpr std::string_view old_model = "claude-3-5-haiku-latest",
                           budget_model = "claude-sonnet-4-5", either_model = "claude-opus-4-6",
                           adaptive_model = "claude-opus-4-8", newest_model = "claude-opus-5";
constexpr std::string_view adaptive = R"({"type":"adaptive","display":"summarized"})";
constexpr std::string_view disabled = R"({"type":"disabled"})";

std::string enabled(int budget) {
  return R"({"type":"enabled","budget_tokens":)" + std::to_string(budget) + "}";
}

}  // namespace

TEST_CASE("silence sends nothing") {
  CHECK(plan({}, budget_model).json.empty());
  CHECK(!plan({}, adaptive_model).on);
  CHECK(plan({}, newest_model).json.empty());
  CHECK(plan({}, newest_model).on);  // it thinks unless told not to
}

TEST_CASE("effort by generation") {
  CHECK(plan(effort("high"), old_model).dropped == "reasoning_effort");
  CHECK(plan(effort("minimal"), budget_model).json == enabled(1024));
  CHECK(plan(effort("medium"), budget_model).json == enabled(4096));
  CHECK(plan(effort("high"), budget_model).json == enabled(16384));
  CHECK(plan(effort("high"), budget_model).effort.empty());
  CHECK(plan(effort("minimal"), adaptive_model).effort == "low");
  CHECK(plan(effort("high"), adaptive_model).json == adaptive);
  CHECK(plan(effort("xhigh"), adaptive_model).effort == "xhigh");
  CHECK(plan(effort("xhigh"), either_model).effort == "high");
  CHECK(plan(effort("max"), either_model).effort == "max");
}

TEST_CASE("a budget shrinks under the client's limit, which is never raised") {
  CHECK(plan(effort("high"), budget_model, 8000).json == enabled(6000));
  CHECK(plan(effort("high"), budget_model, 1366).json == enabled(1025));
  const Got none = plan(effort("high"), budget_model, 1000);
  CHECK(none.dropped == "reasoning_effort");
  CHECK(!none.on);
  CHECK(plan(native(R"({"type":"enabled","budget_tokens":5000})"), budget_model, 5001).json ==
        enabled(5000));
  CHECK(plan(native(R"({"type":"enabled","budget_tokens":5000})"), budget_model, 4000).json ==
        enabled(3000));
  CHECK(plan(native(R"({"type":"enabled","budget_tokens":10})"), budget_model).json ==
        enabled(1024));
  CHECK(plan(native(R"({"type":"enabled","budget_tokens":10})"), budget_model, 500).dropped ==
        "thinking");
}

TEST_CASE("none is said aloud where thinking is on by itself") {
  CHECK(plan(effort("none"), newest_model).json == disabled);
  CHECK(plan(effort("none"), budget_model).json == disabled);
  CHECK(plan(effort("none"), old_model).json.empty());
  CHECK(plan(effort("none"), old_model).dropped.empty());
}

TEST_CASE("Anthropic's own field") {
  CHECK(plan(native(R"({"type":"adaptive"})"), adaptive_model).json == adaptive);
  CHECK(plan(native(R"({"type":"adaptive","display":"omitted"})"), adaptive_model).json ==
        R"({"type":"adaptive","display":"omitted"})");
  CHECK(plan(native(R"({"type":"adaptive"})"), budget_model).json == enabled(4096));
  const Got converted = plan(native(R"({"type":"enabled","budget_tokens":2000})"), adaptive_model);
  CHECK(converted.json == adaptive);
  CHECK(converted.dropped == "thinking.budget_tokens");
  CHECK(plan(native(R"({"type":"enabled","budget_tokens":2000})"), either_model).json ==
        enabled(2000));
}

TEST_CASE("disabled caps the effort where the two exclude each other") {
  ChatRequest request = native(disabled);
  request.reasoning_effort = "max";
  CHECK(plan(request, newest_model).effort == "high");
  CHECK(plan(request, adaptive_model).effort == "max");
}

TEST_CASE("a forced tool wins over thinking") {
  CHECK(plan(effort("high"), budget_model, 64000, true).dropped == "reasoning_effort");
  CHECK(plan(effort("high"), budget_model, 64000, true).json == disabled);
  const Got kept = plan(effort("high"), adaptive_model, 64000, true);
  CHECK(kept.effort == "high");
  CHECK(kept.dropped.empty());
  CHECK(kept.json == disabled);
  CHECK(plan({}, newest_model, 64000, true).json == disabled);
  CHECK(plan({}, adaptive_model, 64000, true).json.empty());
}

TEST_CASE("a tool turn whose thinking was not kept goes on without it, under a budget") {
  ChatRequest request = effort("high");
  Message asked, called, answered;
  asked.role = Role::user;
  called.role = Role::assistant;
  called.tool_calls.push_back({});
  answered.role = Role::tool;
  request.messages = {asked, called, answered};
  CHECK(plan(request, budget_model).dropped == "reasoning_effort");
  CHECK(plan(request, adaptive_model).on);

  SUBCASE("its own thinking is there") {
    request.messages[1].thinking.push_back({"t", "c2ln", ""});
    CHECK(plan(request, budget_model).on);
  }
  SUBCASE("the thinking stands at the begin of the loop") {
    request.messages[1].thinking.push_back({"", "", "redacted"});
    request.messages.push_back(called);
    request.messages.push_back(answered);
    CHECK(plan(request, budget_model).on);
  }
  SUBCASE("the user has spoken since, and the assistant answered") {
    Message reply;
    reply.role = Role::assistant;
    request.messages.push_back(reply);
    request.messages.push_back(asked);
    CHECK(plan(request, budget_model).on);
  }
}

TEST_CASE("what is no effort and no thinking is refused") {
  for (const ChatRequest& request :
       {effort("enormous"), native(R"({"type":"enabled"})"), native(R"({"type":"sometimes"})")}) {
    Notes notes;
    const auto planned = plan_thinking(request, model_traits(budget_model), 64000, false, notes);
    REQUIRE(!planned);
    CHECK(planned.error().status == 400);
    CHECK(!planned.error().param.empty());
  }
}

TEST_CASE("in strict mode a loss is a 400") {
  Notes notes;
  notes.refuse = true;
  const auto planned = plan_thinking(effort("high"), model_traits(old_model), 64000, false, notes);
  REQUIRE(!planned);
  CHECK(planned.error().code == "unsupported_parameter");
  CHECK(planned.error().param == "reasoning_effort");
}
