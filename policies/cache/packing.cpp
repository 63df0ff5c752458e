#include "policies/cache/packing.hpp"

#include <memory>
#include <zstd.h>

namespace tollgate::cache {
namespace {

constexpr int level = 1;  // replies are short: more effort gains little

struct Free {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

}  // namespace

std::string pack(std::string_view bytes) {
  // Making a context costs more than packing a reply.
  thread_local const std::unique_ptr<ZSTD_CCtx, Free> context(ZSTD_createCCtx());
  std::string packed(ZSTD_compressBound(bytes.size()), '\0');
  if (!context) return {};
  const std::size_t size = ZSTD_compressCCtx(context.get(), packed.data(), packed.size(),
                                             bytes.data(), bytes.size(), level);
  if (ZSTD_isError(size) != 0U) return {};
  packed.resize(size);
  return packed;
}

std::optional<std::string> unpack(std::string_view packed, std::size_t bytes_max) {
  thread_local const std::unique_ptr<ZSTD_DCtx, Free> context(ZSTD_createDCtx());
  // Both "unknown" and "none" are larger than any size.
  const unsigned long long said = ZSTD_getFrameContentSize(packed.data(), packed.size());
  if (!context || said > bytes_max) return std::nullopt;
  std::string bytes(static_cast<std::size_t>(said), '\0');
  const std::size_t size =
      ZSTD_decompressDCtx(context.get(), bytes.data(), bytes.size(), packed.data(), packed.size());
  if (ZSTD_isError(size) != 0U || size != bytes.size()) return std::nullopt;
  return bytes;
}

}  // namespace tollgate::cache
