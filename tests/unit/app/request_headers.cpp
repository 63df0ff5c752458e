#include "gateway/app/request_headers.hpp"

#include <doctest/doctest.h>

#include "gateway/app/plan.hpp"

namespace tollgate::app {
namespace {

RequestHead with(std::vector<HeaderView> headers) {
  RequestHead head;
  head.headers = std::move(headers);
  return head;
}

}  // namespace

TEST_CASE("the key is the bearer token, or x-api-key where no Authorization is sent") {
  CHECK(presented_key(with({{"Authorization", "Bearer abc"}})) == "abc");
  CHECK(presented_key(with({{"authorization", "bearer  abc "}})) == "abc");
  CHECK(presented_key(with({{"X-API-Key", "abc"}})) == "abc");
  CHECK(presented_key(with({{"x-api-key", "abc"}, {"authorization", "Basic eA=="}})).empty());
  CHECK(presented_key(with({})).empty());
}

TEST_CASE("a traceparent names its trace, unless it is not as W3C wants it") {
  const std::string trace = "4bf92f3577b34da6a3ce929d0e0e4736", parent = "00f067aa0ba902b7";
  const auto asked = [](const std::string& text) {
    return std::string(asked_trace(with({{"traceparent", text}})));
  };
  CHECK(asked("00-" + trace + "-" + parent + "-01") == trace);
  CHECK(asked("cc-" + trace + "-" + parent + "-01-what-the-future-will-be-like") == trace);
  CHECK(asked_trace(with({})).empty());
  const std::string none(32, '0'), upper = "4BF92F3577B34DA6A3CE929D0E0E4736";
  for (const std::string& bad :
       {"ff-" + trace + "-" + parent + "-01", "00-" + none + "-" + parent + "-01",
        "00-" + trace + "-" + none.substr(16) + "-01", "00-" + upper + "-" + parent + "-01",
        "00-" + trace + "-" + parent + "-01-more", "00-" + trace + "-" + parent + "-0x",
        "00-" + trace + "-" + parent, "cc-" + trace + "-" + parent + "-012", trace}) {
    CAPTURE(bad);
    CHECK(asked(bad).empty());
  }
}

TEST_CASE("x-tollgate-timeout is seconds or milliseconds") {
  using std::chrono::milliseconds;
  const auto asked = [](std::string_view text) {
    return asked_timeout(with({{"x-tollgate-timeout", text}}));
  };
  CHECK(**asked("30") == milliseconds(30000));
  CHECK(**asked("1.5") == milliseconds(1500));
  CHECK(**asked("2s") == milliseconds(2000));
  CHECK(**asked("500ms") == milliseconds(500));
  CHECK_FALSE(asked("")->has_value());
  for (const char* bad : {"soon", "-1", "0", "5m", "nan", "inf", "1e99"}) {
    CAPTURE(bad);
    const auto refused = asked(bad);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().status == 400);
    CHECK(refused.error().param == "x-tollgate-timeout");
  }
}

TEST_CASE("tags are pairs; what is none is left out, and so is too much") {
  const HeaderList tags = asked_tags(with({{"x-tollgate-tags", "a=1, b = 2 ,,=x,c,d=e=f"}}));
  CHECK(tags == HeaderList{{"a", "1"}, {"b", "2"}, {"d", "e=f"}});
  CHECK(asked_tags(
            with({{"x-tollgate-tags", "a=1"}, {"other", "c=3"}, {"X-Tollgate-Tags", "b=2"}})) ==
        HeaderList{{"a", "1"}, {"b", "2"}});
  std::string many;
  for (int i = 0; i < 100; ++i)
    many += "k" + std::to_string(i) + "=v,";
  CHECK(asked_tags(with({{"x-tollgate-tags", many}})).size() == 32);
  CHECK(asked_tags(with({{"x-tollgate-tags", many}, {"x-tollgate-tags", many}})).size() == 32);
}

TEST_CASE("percent-decoding leaves broken escapes alone") {
  CHECK(percent_decoded("a%2Fb%20c") == "a/b c");
  CHECK(percent_decoded("a%2") == "a%2");
  CHECK(percent_decoded("%zz") == "%zz");
}

TEST_CASE("base URLs become addresses") {
  const auto plain = parse_base_url("http://127.0.0.1:8000/v1/");
  CHECK(!plain.tls);
  CHECK(plain.host == "127.0.0.1");
  CHECK(plain.port == 8000);
  CHECK(plain.base_path == "/v1");
  const auto tls = parse_base_url("https://api.example.com");
  CHECK(tls.tls);
  CHECK(tls.port == 443);
  CHECK(tls.authority() == "api.example.com");
  const auto six = parse_base_url("https://[::1]:444/x");
  CHECK(six.host == "::1");
  CHECK(six.port == 444);
  CHECK(six.authority() == "[::1]:444");
}

}  // namespace tollgate::app
