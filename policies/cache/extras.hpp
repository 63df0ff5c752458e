// RelayedExtras: what a provider's reply says beside the events, read from the bytes that were
// relayed: members that the hub has no type for, as ExtraDeltas. With them a reply is given in the
// other form, a few words at a time or to who shares the call, and lacks nothing. One object a call
// that missed, on the call's worker; pure.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/block.hpp"

namespace tollgate::cache {

class RelayedExtras {
 public:
  /// More than `bytes_max` are not remembered.
  explicit RelayedExtras(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  /// In order, every batch that went out as it came.
  void take(const Batch& batch);
  /// What was new in the last.
  [[nodiscard]] std::span<const StreamEvent> fresh() const { return events_; }
  /// The bytes of all that the reply said, as `write_event` makes them.
  [[nodiscard]] std::string bytes() const;
  /// They are more than may be kept.
  [[nodiscard]] bool too_large() const { return size_ > bytes_max_; }

 private:
  struct Extra {  // `place`: see reply_extra.hpp
    std::uint32_t place = 0;
    std::string name, json;
  };
  void take_reply(std::string_view json);
  void take_choice(std::string_view json, std::uint32_t position);
  /// What replaces an earlier one.
  void take_member(std::uint32_t place, std::string_view name, std::string_view json);
  /// What adds to what a stream's earlier deltas said.
  void take_delta(std::uint32_t choice, std::string_view name, std::string_view json);

  std::size_t bytes_max_, size_ = 0;
  std::vector<Extra> members_, fresh_;
  std::string deltas_;  // as bytes
  std::vector<StreamEvent> events_;
};

}  // namespace tollgate::cache
