// Which calls the cache is for.
#include "policies/cache/eligible.hpp"

#include <doctest/doctest.h>

namespace tollgate::cache {
namespace {

using config::CacheWhen;
using std::chrono::seconds;

bool eligible(const std::string& more, CacheWhen when, std::string_view header = {},
              const std::vector<RawField>* defaults = nullptr, Endpoint endpoint = Endpoint::chat) {
  const std::string body =
      R"({"model":"m","input":"x","prompt":"x","messages":[{"role":"user","content":"x"}])" + more +
      "}";
  auto view = wire::openai_chat().read(endpoint, body);
  REQUIRE(view);
  view->set_defaults(defaults);
  return is_eligible(*view, when, parse_wish(header));
}

}  // namespace

TEST_CASE("wish: the directives of Cache-Control") {
  const Wish none = parse_wish("");
  CHECK_FALSE(none.no_cache);
  CHECK_FALSE(none.no_store);
  CHECK_FALSE(none.only_if_cached);
  CHECK_FALSE(none.max_age);
  const Wish all =
      parse_wish(" No-Cache ,no-store,  only-if-cached, MAX-AGE = 60,stale-if-error=5");
  CHECK(all.no_cache);
  CHECK(all.no_store);
  CHECK(all.only_if_cached);
  CHECK(all.max_age == seconds(60));
  CHECK(parse_wish("max-age=\"5\"").max_age == seconds(5));
  CHECK(parse_wish("max-age=99999999999999").max_age == seconds(1U << 31U));
  for (const char* bad : {"max-age", "max-age=", "max-age=-1", "max-age=1h", "xmax-age=1", ",,,"})
    CHECK_FALSE(parse_wish(bad).max_age);
}

TEST_CASE("eligible: deterministic means temperature 0 or a seed, sent or by default") {
  const CacheWhen when = CacheWhen::deterministic;
  CHECK_FALSE(eligible("", when));
  CHECK(eligible(R"(,"temperature":0)", when));
  CHECK(eligible(R"(,"temperature":0.0e1)", when));
  CHECK_FALSE(eligible(R"(,"temperature":0.01)", when));
  CHECK_FALSE(eligible(R"(,"temperature":null)", when));
  CHECK(eligible(R"(,"temperature":1,"seed":0)", when));
  CHECK_FALSE(eligible(R"(,"seed":null)", when));
  const std::vector<RawField> cold{{"temperature", "0"}};
  CHECK(eligible("", when, {}, &cold));
  CHECK_FALSE(eligible(R"(,"temperature":1)", when, {}, &cold));
}

TEST_CASE("eligible: always is always, on_request when the call says max-age") {
  CHECK(eligible("", CacheWhen::always));
  CHECK(eligible("", CacheWhen::always, "no-cache"));
  CHECK(eligible("", CacheWhen::always, {}, nullptr, Endpoint::completions));
  CHECK_FALSE(eligible(R"(,"temperature":0)", CacheWhen::on_request));
  CHECK_FALSE(eligible("", CacheWhen::on_request, "no-cache"));
  CHECK(eligible("", CacheWhen::on_request, "max-age=1"));
}

TEST_CASE("eligible: what must not be answered twice from one reply never is") {
  for (const char* more :
       {R"(,"n":2)", R"(,"store":true)", R"(,"web_search_options":{})",
        R"(,"tools":[{"type":"web_search"}])",
        R"(,"tools":[{"type":"function","function":{"name":"f"}},{"type":"mcp"}])",
        R"(,"tools":[{"name":"no type"}])"}) {
    CAPTURE(more);
    CHECK_FALSE(eligible(more, CacheWhen::always));
  }
  CHECK_FALSE(eligible("", CacheWhen::always, "max-age=5, no-store"));
  CHECK(eligible(R"(,"n":1,"store":false)", CacheWhen::always));
  CHECK(eligible(R"(,"tools":[{"type":"function","function":{"name":"f"}},{"type":"custom"}])",
                 CacheWhen::always));
  CHECK(eligible(R"(,"tools":[])", CacheWhen::always));
  const std::vector<RawField> storing{{"store", "true"}};
  CHECK_FALSE(eligible("", CacheWhen::always, {}, &storing));
}

}  // namespace tollgate::cache
