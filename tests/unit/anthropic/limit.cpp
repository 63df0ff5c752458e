#include <doctest/doctest.h>

#include "tests/unit/anthropic/support.hpp"

using namespace tollgate;
using namespace tollgate::routing::anthropic::test;

namespace {

EncodedText under(std::optional<std::uint64_t> limit, const std::string& members,
                  bool refuse = false) {
  const std::string head = R"({"model":"m","messages":[{"role":"user","content":"hi"}])";
  return encode(head + members + "}", "claude-sonnet-4-5", refuse, limit);
}

bool holds(const EncodedText& sent, std::string_view text) {
  return sent.body.find(text) != std::string::npos;
}

const std::string thinks =
    R"(,"max_tokens":20000,"thinking":{"type":"enabled","budget_tokens":16000})";

}  // namespace

TEST_CASE("M4: a limit that was set replaces the client's") {
  CHECK(holds(under({}, R"(,"max_tokens":900)"), R"("max_tokens":900)"));
  CHECK(holds(under(300, R"(,"max_tokens":900)"), R"("max_tokens":300)"));
  CHECK(holds(under(300, ""), R"("max_tokens":300)"));
}

TEST_CASE("M4: a thinking budget shrinks under a lowered limit, and leaves room for an answer") {
  CHECK(holds(under({}, thinks), R"("budget_tokens":16000)"));
  const EncodedText lowered = under(8'000, thinks);
  CHECK(holds(lowered, R"("max_tokens":8000)"));
  CHECK(holds(lowered, R"("budget_tokens":6000)"));
  CHECK(lowered.dropped.empty());
  CHECK(holds(under(8'000, R"(,"reasoning_effort":"high")"), R"("budget_tokens":6000)"));
}

TEST_CASE("M4: a thinking budget that no longer fits is dropped and named, and the limit stands") {
  const EncodedText dropped = under(1'100, thinks);
  CHECK(holds(dropped, R"("max_tokens":1100)"));
  CHECK_FALSE(holds(dropped, "budget_tokens"));
  CHECK(dropped.dropped == "thinking");
  CHECK(under(1'100, R"(,"reasoning_effort":"high")").dropped == "reasoning_effort");
  CHECK(under(1'100, thinks, true).error_param == "thinking");
}

TEST_CASE("M5: with a limit that was set goes a number of uses, where the client named none") {
  const auto tool = [](const std::string& type, const std::string& more = "") {
    return R"(,"tools":[{"type":")" + type + R"(","name":"t")" + more + "}]";
  };
  const std::string inserted = R"("name":"t","max_uses":5})";
  CHECK(holds(under(300, tool("web_search_20250305")), inserted));
  CHECK(holds(under(300, tool("web_fetch_20250910")), inserted));
  CHECK_FALSE(holds(under({}, tool("web_search_20250305")), "max_uses"));
  CHECK_FALSE(holds(under(300, tool("code_execution_20250825")), "max_uses"));
  const EncodedText own = under(300, tool("web_search_20250305", R"(,"max_uses":2)"));
  CHECK(holds(own, R"("max_uses":2})"));
  CHECK_FALSE(holds(own, inserted));
}

TEST_CASE("M4: the limit is never raised for thinking") {
  for (const std::uint64_t limit : {1ULL, 500ULL, 1'024ULL, 1'025ULL, 1'366ULL, 5'000ULL}) {
    const std::string wanted = "\"max_tokens\":" + std::to_string(limit) + ",";
    CHECK(holds(under(limit, thinks), wanted));
    CHECK(holds(under(limit, R"(,"reasoning_effort":"low")"), wanted));
  }
}
