// MemoryReturn: gives freed memory back to the system while a crowd of connections leaves, and once
// it has gone; the allocator would keep it for good. One a listener, on its worker's thread.
#pragma once
#include <cstddef>

#include "gateway/net/deadlines.hpp"

namespace tollgate::net {

class MemoryReturn final : private Deadline {
 public:
  explicit MemoryReturn(Deadlines& deadlines) : Deadline(deadlines) {}
  /// Says how many connections are open now.
  void note(std::size_t open);

 private:
  void settle();
  void expired() override;

  std::size_t open_ = 0;
  std::size_t open_before_ = 0;  // when the wait for the others began
  std::size_t crowd_ = 0;        // the most since the last crowd had gone
};

}  // namespace tollgate::net
