// The memo of cache keys: it knows a request again by its every letter, and under one plan alone.
#include "policies/cache/key_memo.hpp"

#include <doctest/doctest.h>
#include <set>
#include <string>

namespace tollgate::cache {
namespace {

policies::Digest digest(unsigned char first) {
  policies::Digest key{};
  key[0] = first;
  return key;
}

}  // namespace

TEST_CASE("key memo: requests that differ anywhere have other tags") {
  KeyMemo memo;
  const int one = 0, two = 0;
  const std::string body = R"({"model":"m","messages":[{"role":"user","content":"hello there"}]})";
  const KeyMemo::Request request{
      .tenant = &one, .route = &two, .endpoint = 0, .rest = "a", .body = body};
  const auto tag = memo.tag_of(request);
  REQUIRE(tag);
  CHECK(memo.tag_of(request) == tag);
  std::set<KeyMemo::Tag> tags{*tag};
  const auto add = [&](const KeyMemo::Request& other) { tags.insert(*memo.tag_of(other)); };
  KeyMemo::Request other = request;
  other.tenant = &two;
  add(other);
  other = request;
  other.route = &one;
  add(other);
  other = request;
  other.endpoint = 1;
  add(other);
  // What stands in one part stands in no other.
  other = request;
  other.rest = "";
  const std::string longer = "a" + body;
  other.body = longer;
  add(other);
  std::size_t count = 5;
  for (std::size_t i = 0; i < body.size(); ++i, count += 2) {
    std::string changed = body;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    other = request;
    other.body = changed;
    add(other);
    other.body = std::string_view(body).substr(0, i);
    add(other);
  }
  CHECK(tags.size() == count);
  // Another object has another secret.
  CHECK(KeyMemo().tag_of(request) != tag);
}

TEST_CASE("key memo: under another plan everything is forgotten, wherever it stands") {
  KeyMemo memo;
  auto plan = std::make_shared<int>(1);
  memo.under(plan);
  const auto tag = memo.tag_of({.tenant = nullptr, .route = nullptr, .rest = {}, .body = "b"});
  REQUIRE(tag);
  CHECK(memo.find(*tag) == nullptr);
  memo.put(*tag, digest(7));
  memo.under(plan);
  REQUIRE(memo.find(*tag) != nullptr);
  CHECK(*memo.find(*tag) == digest(7));
  plan.reset();  // its place may be taken by the next
  memo.under(plan = std::make_shared<int>(1));
  CHECK(memo.find(*tag) == nullptr);
}

}  // namespace tollgate::cache
