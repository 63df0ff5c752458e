// ChunkedDecoder: takes the chunk framing off a body, strictly, the same for every split. Pure.
// Used by sessions (requests) and the upstream client (replies).
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "gateway/core/error.hpp"

namespace tollgate::wire {

class ChunkedDecoder {
 public:
  struct Step {
    std::size_t consumed = 0;  ///< bytes of the input that are used up
    std::string_view data;     ///< body bytes among them: a view into the input
    bool done = false;         ///< the last chunk and its trailers are behind us
  };
  /// One step over `input`: at most one run of body bytes, and a step with bytes is never the last.
  /// Call again with the rest until `consumed` is 0 (needs more input) or `done`. Errors: 400
  /// invalid_request for bad sizes, a size above 2^62, extensions above 256 bytes, trailers above 8
  /// KiB, bare LF as a line end.
  Result<Step> next(std::string_view input);

 private:
  enum class State : std::uint8_t {
    size,
    extension,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer,
    done
  };
  Result<void> take(char c);
  Result<void> take_size(char c);
  Result<void> take_trailer(char c);

  State state_ = State::size;
  std::uint64_t left_ = 0;
  std::size_t digits_ = 0, line_ = 0, trailer_bytes_ = 0;
  bool saw_cr_ = false;
};

}  // namespace tollgate::wire
