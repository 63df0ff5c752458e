#include <doctest/doctest.h>
#include <memory>
#include <string>

#include "gateway/core/error.hpp"

namespace tollgate {
namespace {

Result<std::unique_ptr<std::string>> made(bool good) {
  if (!good) return fail(ErrorKind::upstream_error, "It is broken.", "model");
  return std::make_unique<std::string>("made");
}

Result<std::size_t> passed_on(bool good) {
  auto from = made(good);
  if (!from) return std::unexpected(std::move(from.error()));
  return (*from)->size();
}

}  // namespace

TEST_CASE("result: an error costs a good result one pointer") {
  CHECK(sizeof(Result<std::size_t>) <= 3 * sizeof(void*));
  CHECK(sizeof(Result<void>) <= 2 * sizeof(void*));
  CHECK(sizeof(Rare<Error>) == sizeof(void*));
}

TEST_CASE("result: a value or an error comes out as it went in") {
  auto good = made(true);
  REQUIRE(good);
  CHECK(**good == "made");
  const std::unique_ptr<std::string> taken = *std::move(good);
  CHECK(*taken == "made");

  const auto bad = passed_on(false);
  REQUIRE(!bad);
  CHECK(bad.error().kind == ErrorKind::upstream_error);
  CHECK(bad.error().message == "It is broken.");
  CHECK(bad.error().param == "model");
  CHECK(bad.value_or(7) == 7);
  CHECK(passed_on(true).value_or(7) == 4);
}

TEST_CASE("result: a copy has an error of its own") {
  Result<void> first = fail(ErrorKind::internal, "first");
  Result<void> second = first;
  second.error().message = "second";
  CHECK(first.error().message == "first");
  first = second;
  CHECK(first.error().message == "second");
  first = Result<void>();
  CHECK(first);
  CHECK(!second);
}

TEST_CASE("rare: it is there or not, and each copy has its own") {
  Rare<std::string> one;
  CHECK(!one);
  one.emplace("a");
  Rare<std::string> other = one;
  *other += 'b';
  CHECK(*one == "a");
  CHECK(*other == "ab");
  one = std::move(other);
  CHECK(*one == "ab");
  one.reset();
  CHECK(!one.has_value());
}

}  // namespace tollgate
