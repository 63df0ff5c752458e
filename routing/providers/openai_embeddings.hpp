// Embedding replies of OpenAI-shaped providers into events, whichever way the vectors are written.
#pragma once
#include <string_view>

#include "gateway/core/block.hpp"
#include "gateway/core/error.hpp"

namespace tollgate::routing::openai {

/// Pushes Started, one Embedding for each item and the usage. Error: upstream_error when there is
/// no list of vectors. `object` is checked JSON. Without `vectors` (a relay, whose bytes hold them)
/// only the usage is read.
Result<void> read_embeddings(std::string_view object, bool vectors, Batch& out);

}  // namespace tollgate::routing::openai
