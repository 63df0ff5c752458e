// The parts of the openai_chat dialect, each in a file of its own name; openai_chat.cpp puts them
// together. For this folder only.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "gateway/wire/dialect.hpp"
#include "gateway/wire/dialects/openai/values.hpp"

namespace tollgate::wire::openai {

/// Everything but `dialect`, which the caller fills in.
Result<RequestView> read_request(Endpoint endpoint, std::string_view body);

Result<ChatRequest> decode_chat(const RequestView& view);
Result<EmbeddingRequest> decode_embedding(const RequestView& view);

/// Parts of decode_chat.
Result<void> read_messages(const Node& node, std::vector<Message>& out);
Result<void> read_content(const Node& node, Message& out);
Result<void> read_thinking_block(const Node& node, Message& out);
Result<void> read_tool_calls(const Node& node, Message& out);
Result<void> read_legacy_call(const Node& node, ToolCall& out);
Result<void> read_tools(const Node& node, ChatRequest& out);
Result<void> read_legacy_functions(const Node& node, ChatRequest& out);
Result<void> read_tool_choice(const Node& node, ChatRequest& out);
Result<void> read_legacy_choice(const Node& node, ChatRequest& out);

std::unique_ptr<ReplyEncoder> stream_encoder(const ReplyContext& context);
std::unique_ptr<ReplyEncoder> whole_encoder(ReplyContext context);

std::string render_error(const Error& error);

}  // namespace tollgate::wire::openai
