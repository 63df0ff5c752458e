// ReplyBody: takes a reply's body out of the bytes of its connection, whatever its framing. Pure;
// the exchange feeds it what it has read.
#pragma once
#include <cstdint>
#include <string_view>

#include "gateway/core/http.hpp"
#include "gateway/wire/http_body.hpp"

namespace tollgate::net {

class ReplyBody {
 public:
  using Step = wire::ChunkedDecoder::Step;

  ReplyBody() = default;
  explicit ReplyBody(const ResponseHead& head);
  /// As ChunkedDecoder::next: at most one run of body bytes, a view into `input`.
  Result<Step> next(std::string_view input);
  /// Uses up what closes the body at the front of `input` if all of it is there, so that a
  /// connection is free with the last bytes and not a read later. Returns how many bytes that were.
  std::size_t finish_with(std::string_view input);
  /// The connection has ended; false when the body had not.
  [[nodiscard]] bool end_of_input();
  [[nodiscard]] bool done() const { return done_; }
  [[nodiscard]] bool until_close() const { return framing_ == Framing::until_close; }

 private:
  Framing framing_ = Framing::none;
  std::uint64_t left_ = 0;
  wire::ChunkedDecoder chunks_;
  bool done_ = true;
};

}  // namespace tollgate::net
