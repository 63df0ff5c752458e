// Inflater: undoes gzip and deflate, for providers that compress although we ask for identity. Pure
// over zlib, a block at a time, so that a small reply cannot grow beyond it at once. The exchange
// drives it.
#pragma once
#include <memory>
#include <string_view>
#include <zlib.h>

#include "gateway/core/error.hpp"
#include "routing/upstream.hpp"

namespace tollgate::net {

class Inflater {
 public:
  Inflater();
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// True for the content-encodings that this undoes.
  [[nodiscard]] static bool knows(std::string_view encoding);
  /// More compressed bytes, once `next` gave none.
  void feed(routing::ReadStep input) { input_ = std::move(input); }
  /// The next plain bytes; none: more input is needed. Error: stream_cut, a plain sentence.
  Result<routing::ReadStep> next();
  /// The compressed data has come to its own end.
  [[nodiscard]] bool whole() const { return whole_; }

 private:
  z_stream zlib_{};
  routing::ReadStep input_;
  std::shared_ptr<Block> block_;
  bool ready_ = false;
  bool more_ = false;  // the last output was full: zlib may hold more
  bool whole_ = false;
};

}  // namespace tollgate::net
