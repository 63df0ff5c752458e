// Relayed bytes: what a reply looked like that went out as it came, kept beside its events. Who
// asks again in the same form gets these bytes, and so all that the events have no place for; its
// own id and time stand where the provider's stood. Pure; used on the call's worker.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/block.hpp"

namespace tollgate::cache {

/// Takes the bytes down while they pass.
class RelayRecorder {
 public:
  /// `stream`: the reply's form. More than `bytes_max` are not kept.
  RelayRecorder(bool stream, std::size_t bytes_max) : stream_(stream), bytes_max_(bytes_max) {}

  /// In order, every batch that went out as it came.
  void take(const Batch& batch);
  /// Something went out otherwise: nothing is kept.
  void give_up();
  /// The bytes to store, once. Empty: none are to be had.
  [[nodiscard]] std::string finish();

 private:
  struct Hole {
    bool id = false;  // else the time
    std::size_t at = 0, size = 0;
  };
  struct Kept {  // a frame
    std::size_t size = 0;
    bool tells_usage = false;
    std::vector<Hole> holes;
  };
  static bool find_holes(std::string_view wire, std::vector<Hole>& holes);
  void take(const Frame& frame, std::span<const StreamEvent> events);

  bool stream_;
  std::size_t bytes_max_;
  std::string text_;  // of all frames, without what stood in the holes
  std::vector<Kept> frames_;
  bool given_up_ = false;
};

/// What a reply that is given again is called.
struct Identity {
  std::string_view id;
  std::int64_t created = 0;  ///< Unix seconds
};

/// True: `stored`, which RelayRecorder made, was a stream.
[[nodiscard]] bool is_relayed_stream(std::string_view stored);

/// Adds the frames in `stored` with `events`, the whole reply's, to `out`, which holds what
/// `stored` points into. False: the bytes are damaged or come to more than `bytes_max`, and `out`
/// is as it was.
[[nodiscard]] bool relay_again(std::string_view stored, std::size_t bytes_max,
                               const Identity& identity, std::span<const StreamEvent> events,
                               Batch& out);

}  // namespace tollgate::cache
