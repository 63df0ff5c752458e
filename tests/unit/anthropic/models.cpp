#include <doctest/doctest.h>

#include "routing/providers/anthropic_models.hpp"

using namespace tollgate::routing::anthropic;

TEST_CASE("the version is read from every host's spelling") {
  struct Row {
    std::string_view name;
    ModelVersion version;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"claude-3-haiku-20240307", {3, 0}},
           {"claude-3-5-haiku-latest", {3, 5}},
           {"claude-3-7-sonnet-20250219", {3, 7}},
           {"claude-sonnet-4-20250514", {4, 0}},
           {"claude-sonnet-4-0", {4, 0}},
           {"claude-opus-4-1-20250805", {4, 1}},
           {"claude-sonnet-4-5-20250929", {4, 5}},
           {"claude-sonnet-4.5", {4, 5}},
           {"us.anthropic.claude-sonnet-4-5-20250929-v1:0", {4, 5}},
           {"anthropic/claude-haiku-4.5", {4, 5}},
           {"claude-opus-4@20250514", {4, 0}},
           {"claude-opus-5", {5, 0}},
           {"claude-instant-1.2", {1, 2}},
           {"claude-opus-12-3", {12, 3}},
           {"claude-mythos-preview", {0, 0}},
           {"my-deployment-3", {0, 0}},
           {"", {0, 0}},
       }) {
    CAPTURE(row.name);
    CHECK(model_version(row.name) == row.version);
  }
}

TEST_CASE("each generation has its limits") {
  CHECK(model_traits("claude-3-haiku-20240307").max_output == 4096);
  CHECK(model_traits("claude-3-5-sonnet-20241022").max_output == 8192);
  CHECK(model_traits("claude-opus-4-20250514").max_output == 32000);
  CHECK(model_traits("claude-opus-4-1").max_output == 32000);
  CHECK(model_traits("claude-sonnet-4-20250514").max_output == 64000);
  CHECK(model_traits("claude-haiku-4-5").max_output == 64000);
  CHECK(model_traits("claude-opus-4-6").max_output == 128000);
}

TEST_CASE("thinking goes from nothing over a budget to adaptive") {
  CHECK(model_traits("claude-3-5-haiku-latest").thinking == Thinking::none);
  CHECK(model_traits("claude-3-7-sonnet-latest").thinking == Thinking::budget);
  CHECK(model_traits("claude-opus-4-5").thinking == Thinking::budget);
  CHECK(model_traits("claude-sonnet-4-6").thinking == Thinking::either);
  CHECK(model_traits("claude-opus-4-7").thinking == Thinking::adaptive);
  CHECK(model_traits("claude-opus-4-10").thinking == Thinking::adaptive);
  CHECK(model_traits("claude-sonnet-5").thinks_unasked);
  CHECK(!model_traits("claude-fable-5").thinks_unasked);
  CHECK(!model_traits("claude-sonnet-5").disabled_caps_effort);
  CHECK(model_traits("claude-opus-5").disabled_caps_effort);
}

TEST_CASE("structured output since 4.1, prefill until 4.5, sampling until 4.6") {
  CHECK(!model_traits("claude-sonnet-4-0").schema_output);
  CHECK(model_traits("claude-opus-4-1").schema_output);
  CHECK(model_traits("claude-haiku-4-5").prefill);
  CHECK(!model_traits("claude-opus-4-6").prefill);
  CHECK(model_traits("claude-opus-4-6").sampling);
  CHECK(!model_traits("claude-opus-4-7").sampling);
}

TEST_CASE("what is not known is taken for the newest") {
  for (const std::string_view name : {"claude-next", "something-else", "claude-sonnet-7-1"}) {
    CAPTURE(name);
    const ModelTraits& traits = model_traits(name);
    CHECK(traits.thinking == Thinking::adaptive);
    CHECK(traits.max_output == 128000);
    CHECK(traits.disabled_caps_effort);
  }
}
