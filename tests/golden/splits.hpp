// Feeds one reply to a decoder in many cuts: whole, byte by byte, in two at every boundary. Each
// piece lies in a block of its own that nobody but the batch keeps alive, so that a decoder which
// remembers a view too long is seen under ASan. Used by the golden tools and the fuzz targets.
#pragma once
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "routing/provider.hpp"

namespace tollgate::golden {

using MakeDecoder = std::function<std::unique_ptr<routing::ReplyDecoder>()>;
/// Sees each batch while its views are true.
using SeeBatch = std::function<void(Batch&)>;

/// Where a body is cut: offsets in rising order, without 0 and the end.
using Cuts = std::vector<std::size_t>;

/// Every way of cutting that is tried for a body of that size. Above 20 KB every boundary up to
/// 2,000 and then every 97th. `few`: whole, byte by byte and every 97th boundary only.
[[nodiscard]] std::vector<Cuts> all_cuts(std::size_t size, bool few = false);

/// One run. The decoder's error, if any, ends it.
[[nodiscard]] Result<void> run(const MakeDecoder& make, std::string_view body, const Cuts& cuts,
                               const SeeBatch& see);

}  // namespace tollgate::golden
