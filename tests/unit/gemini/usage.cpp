#include <doctest/doctest.h>

#include "routing/providers/gemini_reply.hpp"

using namespace tollgate;
using namespace tollgate::routing::gemini;

namespace {
bool told(Counts& counts, std::string_view json) { return counts.update(wire::JsonView(json)); }
}  // namespace

TEST_CASE("cached is inside the prompt, thoughts are outside the candidates") {
  Counts counts;
  CHECK(told(counts, R"({"promptTokenCount":100,"cachedContentTokenCount":60,)"
                     R"("candidatesTokenCount":7,"thoughtsTokenCount":30,)"
                     R"("toolUsePromptTokenCount":5,"totalTokenCount":142})"));
  const Usage usage = counts.usage();
  CHECK(usage.input == 45);
  CHECK(usage.cache_read == 60);
  CHECK(usage.output == 37);
  CHECK(usage.reasoning == 30);
  CHECK(usage.total() == 142);
}

TEST_CASE("a later response replaces what it names and leaves the rest") {
  Counts counts;
  CHECK(!told(counts, R"({"trafficType":"ON_DEMAND"})"));
  CHECK(told(counts, R"({"promptTokenCount":131,"candidatesTokenCount":9})"));
  CHECK(told(counts, R"({"promptTokenCount":1278})"));
  CHECK(counts.usage().input == 1278);
  CHECK(counts.usage().output == 9);
}

TEST_CASE("figures that cannot be are held in bounds") {
  Counts counts;
  told(counts, R"({"promptTokenCount":10,"cachedContentTokenCount":60,"candidatesTokenCount":-1})");
  CHECK(counts.usage().input == 0);
  CHECK(counts.usage().cache_read == 10);
  CHECK(counts.usage().output == 0);
}

TEST_CASE("audio tokens are told apart") {
  Counts counts;
  told(counts, R"({"promptTokenCount":214,"promptTokensDetails":[{"modality":"TEXT",)"
               R"("tokenCount":70},{"modality":"AUDIO","tokenCount":144}]})");
  CHECK(counts.usage().audio_input == 144);
}

TEST_CASE("M5, M12: pictures, searches and the tier that was served") {
  Counts counts;
  told(counts, R"({"promptTokenCount":5,"candidatesTokenCount":1300,"candidatesTokensDetails":[)"
               R"({"modality":"TEXT","tokenCount":10},{"modality":"IMAGE","tokenCount":1290}]})");
  CHECK(counts.usage().image_output == 1290);
  CHECK(counts.usage().service_tier.text().empty());
  const auto tier = [&](std::string_view json) {
    told(counts, json);
    return std::string(counts.usage().service_tier.text());
  };
  CHECK(tier(R"({"serviceTier":"priority"})") == "priority");
  CHECK(tier(R"({"promptTokenCount":6})") == "priority");
  CHECK(tier(R"({"trafficType":"ON_DEMAND"})") == "default");
  CHECK(tier(R"({"trafficType":"ON_DEMAND_FLEX"})") == "flex");
  CHECK(tier(R"({"trafficType":"PROVISIONED_THROUGHPUT"})") == "provisioned_throughput");
  counts.searches = 3;
  CHECK(counts.usage().web_searches == 3);
  counts.search_per_prompt = true;
  CHECK(counts.usage().web_searches == 1);
}

TEST_CASE("log probabilities in OpenAI's shape") {
  CHECK(logprobs_json(wire::JsonView(
            R"({"chosenCandidates":[{"token":"\u00e9","logProbability":-0.5},{"token":"b"}],)"
            R"("topCandidates":[{"candidates":[{"token":"x","logProbability":-1}]}]})")) ==
        "{\"content\":[{\"token\":\"\xC3\xA9\",\"logprob\":-0.5,\"bytes\":[195,169],"
        "\"top_logprobs\":[{\"token\":\"x\",\"logprob\":-1,\"bytes\":[120]}]},"
        "{\"token\":\"b\",\"logprob\":0,\"bytes\":[98],\"top_logprobs\":[]}],\"refusal\":null}");
}

TEST_CASE("times") {
  CHECK(unix_seconds("2026-08-19T14:38:12.643259Z") == 1787150292);
  CHECK(unix_seconds("1970-01-01T00:00:00Z") == 0);
  CHECK(unix_seconds("2026-13-19T14:38:12Z") == 0);
  CHECK(unix_seconds("yesterday") == 0);
}
