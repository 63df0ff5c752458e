// Spare blocks: a stream lets go of its read buffer before each wait and takes one for each read.
// Each thread keeps a few of the usual size for that, since the heap takes its time over pieces of
// this length. Used by ReadBuffer; a block goes to the thread that lets go of it.
#pragma once
#include <cstddef>
#include <memory>

#include "gateway/core/block.hpp"

namespace tollgate::net {

/// An empty block of `bytes`, which must be the same for all callers: a spare one where there is.
[[nodiscard]] std::shared_ptr<Block> take_block(std::size_t bytes);

/// How many this thread keeps now, and at most.
[[nodiscard]] std::size_t spare_blocks();
inline constexpr std::size_t spare_blocks_max = 8;

}  // namespace tollgate::net
