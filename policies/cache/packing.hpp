// Packing: bytes made small with zstd and back, never to more than the caller has room for. Pure;
// used by Envelope on the call's worker.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace tollgate::cache {

/// A zstd frame that says how large its content is. Empty: no memory.
[[nodiscard]] std::string pack(std::string_view bytes);
/// nullopt: not one such frame, or its content is larger than `bytes_max`.
[[nodiscard]] std::optional<std::string> unpack(std::string_view packed, std::size_t bytes_max);

}  // namespace tollgate::cache
