#include <doctest/doctest.h>

#include "routing/providers/anthropic_decode.hpp"

using namespace tollgate;
using namespace tollgate::routing::anthropic;

namespace {
Usage after(std::initializer_list<std::string_view> updates) {
  Usage usage;
  for (const std::string_view json : updates)
    read_usage(wire::JsonView(json), usage);
  return usage_event(usage).usage;
}
}  // namespace

TEST_CASE("every kind of token is read once") {
  const Usage usage = after({R"({"input_tokens":10,"cache_read_input_tokens":20,
      "cache_creation_input_tokens":30,
      "cache_creation":{"ephemeral_5m_input_tokens":25,"ephemeral_1h_input_tokens":5},
      "output_tokens":40,"output_tokens_details":{"thinking_tokens":15}})"});
  CHECK(usage.input == 10);
  CHECK(usage.cache_read == 20);
  CHECK(usage.cache_write == 30);
  CHECK(usage.cache_write_1h == 5);
  CHECK(usage.output == 40);
  CHECK(usage.reasoning == 15);
  CHECK(usage.prompt() == 60);
}

TEST_CASE("the last figure holds; what is left out or null is still the earlier one") {
  const Usage usage = after({R"({"input_tokens":43,"cache_read_input_tokens":7,"output_tokens":1})",
                             R"({"input_tokens":61,"output_tokens":12})",
                             R"({"cache_read_input_tokens":null,"output_tokens":30})"});
  CHECK(usage.input == 61);
  CHECK(usage.cache_read == 7);
  CHECK(usage.output == 30);
}

TEST_CASE("figures that cannot be are not taken, shares are no larger than their whole") {
  const Usage usage =
      after({R"({"input_tokens":-5,"output_tokens":"many",)"
             R"("cache_creation_input_tokens":2,"cache_creation":{"ephemeral_1h_input_tokens":9}})",
             R"({"output_tokens":4,"output_tokens_details":{"thinking_tokens":50}})"});
  CHECK(usage.input == 0);
  CHECK(usage.output == 4);
  CHECK(usage.reasoning == 4);
  CHECK(usage.cache_write_1h == 2);
}

TEST_CASE("a share that came before its whole is not lost") {
  const Usage usage =
      after({R"({"output_tokens":1,"output_tokens_details":{"thinking_tokens":50}})",
             R"({"output_tokens":80})"});
  CHECK(usage.reasoning == 50);
}

TEST_CASE("M5, M12: uses of the provider's tools and the tier that was served") {
  const Usage usage =
      after({R"({"service_tier":"standard","server_tool_use":{"web_search_requests":1}})",
             R"({"server_tool_use":{"web_search_requests":2,"web_fetch_requests":1}})"});
  CHECK(usage.web_searches == 2);
  CHECK(usage.web_fetches == 1);
  CHECK(usage.service_tier.text() == "standard");
  CHECK(after({R"({"service_tier":"priority","speed":"fast"})"}).service_tier.text() == "fast");
}
