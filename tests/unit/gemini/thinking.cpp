#include <doctest/doctest.h>

#include "tests/unit/gemini/support.hpp"

using namespace tollgate;
using namespace tollgate::routing::gemini::test;

namespace {
/// The thinkingConfig that an effort becomes, or what was dropped.
std::string config(std::string_view effort, std::string_view model, std::string_view more = "") {
  const Sent sent = encode_with(
      R"("reasoning_effort":")" + std::string(effort) + "\"" + std::string(more), {.model = model});
  const auto at = sent.body.find("\"thinkingConfig\":");
  std::string found = at == std::string::npos ? "" : sent.body.substr(at + 17);
  found = found.substr(0, found.find('}') == std::string::npos ? 0 : found.find('}') + 1);
  return sent.dropped.empty() ? found : found + " dropped " + sent.dropped;
}
}  // namespace

TEST_CASE("2.5 takes budgets") {
  CHECK(config("none", "gemini-2.5-flash") == R"({"thinkingBudget":0})");
  CHECK(config("none", "gemini-2.5-pro") == R"({"thinkingBudget":128})");
  CHECK(config("low", "gemini-2.5-flash") == R"({"thinkingBudget":1024,"includeThoughts":true})");
  CHECK(config("medium", "gemini-2.5-pro") == R"({"thinkingBudget":8192,"includeThoughts":true})");
  CHECK(config("xhigh", "gemini-2.5-flash-lite") ==
        R"({"thinkingBudget":24576,"includeThoughts":true})");
}

TEST_CASE("3 takes levels, its Pro only two") {
  CHECK(config("none", "gemini-3.5-flash") == R"({"thinkingLevel":"MINIMAL"})");
  CHECK(config("medium", "gemini-3.5-flash") ==
        R"({"thinkingLevel":"MEDIUM","includeThoughts":true})");
  CHECK(config("minimal", "gemini-3-pro-preview") ==
        R"({"thinkingLevel":"LOW","includeThoughts":true})");
  CHECK(config("medium", "gemini-3-pro-preview") ==
        R"({"thinkingLevel":"HIGH","includeThoughts":true})");
}

TEST_CASE("models that do not think: named, unless that was the wish") {
  CHECK(config("high", "gemini-2.0-flash") == " dropped reasoning_effort");
  CHECK(config("none", "gemini-2.0-flash") == "");
}

TEST_CASE("a budget shrinks to the limit and the limit is never raised") {
  CHECK(config("high", "gemini-2.5-flash", R"(,"max_tokens":4000)") ==
        R"({"thinkingBudget":3000,"includeThoughts":true})");
  CHECK(config("low", "gemini-2.5-flash-lite", R"(,"max_tokens":400)") ==
        R"({"thinkingBudget":0} dropped reasoning_effort)");
  CHECK(config("high", "gemini-2.5-pro", R"(,"max_tokens":100)") ==
        R"({"thinkingBudget":128} dropped reasoning_effort)");
  CHECK(encode_with(R"("reasoning_effort":"high","max_tokens":4000)")
            .body.contains(R"("maxOutputTokens":4000)"));
}

TEST_CASE("Anthropic's own field counts where no effort is given") {
  const auto body = [](std::string_view thinking, std::string_view model) {
    return encode_with(R"("thinking":)" + std::string(thinking), {.model = model}).body;
  };
  CHECK(body(R"({"type":"enabled","budget_tokens":2000})", "gemini-2.5-flash")
            .contains(R"("thinkingBudget":2000)"));
  CHECK(body(R"({"type":"enabled","budget_tokens":2000})", "gemini-3.5-flash")
            .contains(R"("thinkingLevel":"MEDIUM")"));
  CHECK(body(R"({"type":"disabled"})", "gemini-2.5-flash").contains(R"("thinkingBudget":0)"));
}
