#include <doctest/doctest.h>

#include "tests/unit/gemini/support.hpp"

using namespace tollgate;
using namespace tollgate::routing::gemini::test;

namespace {

Sent under(std::optional<std::uint64_t> limit, std::string_view members) {
  return encode_with(members, {.limit = limit});
}

bool holds(const Sent& sent, std::string_view text) {
  return sent.body.find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("M4: a limit that was set replaces the client's") {
  CHECK(holds(under({}, R"("max_tokens":900)"), R"("maxOutputTokens":900)"));
  CHECK(holds(under(300, R"("max_tokens":900)"), R"("maxOutputTokens":300)"));
  CHECK(holds(under(300, ""), R"("maxOutputTokens":300)"));
  CHECK(holds(under(UINT64_MAX, ""), R"("maxOutputTokens":2147483647)"));
}

TEST_CASE("M4: a thinking budget shrinks under a lowered limit") {
  const std::string_view thinks = R"("max_tokens":40000,"reasoning_effort":"medium")";
  CHECK(holds(under({}, thinks), R"("thinkingBudget":8192)"));
  const Sent lowered = under(4'000, thinks);
  CHECK(holds(lowered, R"("maxOutputTokens":4000)"));
  CHECK(holds(lowered, R"("thinkingBudget":3000)"));
  CHECK(lowered.dropped.empty());
}

TEST_CASE("M4: where no thinking fits it is dropped and named, and the limit stands") {
  const Sent dropped =
      encode_with(R"("reasoning_effort":"high")", {.model = "gemini-2.5-pro", .limit = 100});
  CHECK(holds(dropped, R"("maxOutputTokens":100)"));
  CHECK(dropped.dropped == "reasoning_effort");
}
