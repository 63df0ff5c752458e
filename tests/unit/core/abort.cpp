#include "gateway/core/abort.hpp"

#include <doctest/doctest.h>

namespace tollgate {
namespace {

struct Wait final : Abortable {
  int told = 0;
  void abort() noexcept override { ++told; }
};

}  // namespace

TEST_CASE("who waits is told once, and the first reason stays") {
  AbortSlot slot;
  Wait outer, inner;
  const AbortScope first(slot, outer);
  {
    const AbortScope second(slot, inner);
    slot.abort(make_error(ErrorKind::client_gone, "gone"));
    slot.abort(make_error(ErrorKind::draining, "drained"));
  }
  CHECK(inner.told == 1);
  CHECK(outer.told == 0);
  CHECK(slot.aborted());
  CHECK(slot.reason().kind == ErrorKind::client_gone);
}

TEST_CASE("after a wait its waiter is not told") {
  AbortSlot slot;
  Wait outer, inner;
  const AbortScope first(slot, outer);
  {
    const AbortScope second(slot, inner);
  }
  slot.abort(make_error(ErrorKind::client_gone, "gone"));
  CHECK(inner.told == 0);
  CHECK(outer.told == 1);
}

}  // namespace tollgate
