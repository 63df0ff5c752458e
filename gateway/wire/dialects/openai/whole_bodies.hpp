// Bodies of replies that go out in one piece, one function for each endpoint. For this folder only.
#pragma once
#include <span>
#include <string>

#include "gateway/core/block.hpp"
#include "gateway/wire/dialects/openai/collected_reply.hpp"

namespace tollgate::wire::openai {

std::string render_chat(CollectedReply reply, const ReplyContext& context);
std::string render_completion(CollectedReply reply);
/// Straight from the batches: vectors are large and need no gathering.
std::string render_embeddings(std::span<const Batch> batches, const ReplyContext& context);

}  // namespace tollgate::wire::openai
