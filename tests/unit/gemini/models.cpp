#include <doctest/doctest.h>

#include "routing/providers/gemini_models.hpp"

using namespace tollgate::routing::gemini;

TEST_CASE("thinking is steered by generation") {
  CHECK(traits_of("gemini-1.5-pro").thinking == Thinking::none);
  CHECK(traits_of("gemini-2.0-flash-001").thinking == Thinking::none);
  CHECK(traits_of("gemini-2.5-pro").thinking == Thinking::budget);
  CHECK(traits_of("gemini-2.5-flash-lite").budget_min == 512);
  CHECK(traits_of("gemini-2.5-flash-image").thinking == Thinking::none);
  CHECK(traits_of("gemini-3-pro-preview").thinking == Thinking::level);
  CHECK(traits_of("gemini-3.1-flash-lite").middle_levels);
  CHECK(!traits_of("gemini-3.1-pro-preview").middle_levels);
}

TEST_CASE("pro models cannot stop thinking") {
  CHECK(!traits_of("gemini-2.5-pro").can_stop_thinking);
  CHECK(traits_of("gemini-2.5-flash").can_stop_thinking);
}

TEST_CASE("names without a generation are the newest, other families the simplest") {
  CHECK(traits_of("gemini-flash-latest").needs_signatures);
  CHECK(traits_of("gemini-9-ultra").json_schema);
  CHECK(!traits_of("gemma-3-27b-it").system_instruction);
  CHECK(!traits_of("learnlm-2").json_schema);
  CHECK(traits_of("learnlm-2").system_instruction);
}
