#include "gateway/net/inflater.hpp"

#include <algorithm>
#include <array>

#include "gateway/core/http.hpp"

namespace tollgate::net {
namespace {
constexpr std::size_t block_bytes = 16 * 1024;
constexpr std::array<std::string_view, 3> known{"gzip", "x-gzip", "deflate"};
}  // namespace

Inflater::Inflater() {
  ready_ = inflateInit2(&zlib_, MAX_WBITS + 32) == Z_OK;  // +32: gzip or zlib, by its header
}

Inflater::~Inflater() {
  if (ready_) inflateEnd(&zlib_);
}

bool Inflater::knows(std::string_view encoding) {
  return std::ranges::any_of(known, [&](std::string_view name) { return iequals(encoding, name); });
}

Result<routing::ReadStep> Inflater::next() {
  routing::ReadStep step{routing::ReadStep::What::bytes, {}, {}};
  if (!ready_) return fail(ErrorKind::internal, "zlib cannot be set up");
  if (whole_ || (input_.bytes.empty() && !more_)) return step;
  if (!block_ || block_.use_count() > 1) block_ = std::make_shared<Block>(block_bytes);
  // zlib only reads; its type is older than const.
  zlib_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input_.bytes.data()));
  zlib_.avail_in = static_cast<uInt>(input_.bytes.size());
  zlib_.next_out = reinterpret_cast<Bytef*>(block_->data());
  zlib_.avail_out = static_cast<uInt>(block_->capacity());
  const int status = inflate(&zlib_, Z_SYNC_FLUSH);
  if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) {
    return fail(ErrorKind::stream_cut, zlib_.msg != nullptr ? zlib_.msg : "not compressed data");
  }
  input_.bytes.remove_prefix(input_.bytes.size() - zlib_.avail_in);
  more_ = zlib_.avail_out == 0;
  whole_ = status == Z_STREAM_END;
  step.block = block_;
  step.bytes = {block_->data(), block_->capacity() - zlib_.avail_out};
  return step;
}

}  // namespace tollgate::net
