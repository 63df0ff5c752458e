// Helpers of the dialect's tests: requests as text, replies as lists of events, output as text.
#pragma once
#include <doctest/doctest.h>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/wire/dialect.hpp"

namespace tollgate::wire::test {

using Events = std::vector<StreamEvent>;

inline Result<RequestView> read_body(std::string_view body, Endpoint endpoint = Endpoint::chat) {
  return openai_chat().read(endpoint, body);
}

/// A chat request with one user message and `members` behind it.
inline std::string chat_with(std::string_view members) {
  std::string body = R"({"model":"m","messages":[{"role":"user","content":"hi"}])";
  return body.append(members.empty() ? "" : ",").append(members).append("}");
}

inline std::string chat_of(std::string_view messages) {
  return std::string(R"({"model":"m","messages":[)").append(messages).append("]}");
}

/// The decoded request; the test fails where there is none.
inline ChatRequest decode(const std::string& body) {
  auto view = read_body(body);
  REQUIRE_MESSAGE(view, body);
  auto request = openai_chat().decode_chat(*view);
  REQUIRE_MESSAGE(request, (request ? "" : request.error().message));
  return std::move(*request);
}

/// The error that reading or decoding this body ends in.
inline Error error_of(const std::string& body) {
  auto view = read_body(body);
  if (!view) return view.error();
  auto request = openai_chat().decode_chat(*view);
  REQUIRE_MESSAGE(!request, body);
  return request.error();
}

inline void check_invalid(const std::string& body, std::string_view param) {
  const Error error = error_of(body);
  CHECK_MESSAGE(error.status == 400, body);
  CHECK(error.kind == ErrorKind::invalid_request);
  CHECK_MESSAGE(error.param == param, body);
  CHECK(error.message.find(param) != std::string::npos);
}

/// A frame to feed: what came, and what it meant.
struct Fed {
  std::string wire;
  Events events;
  bool changed = false;
};

inline void add_frame(Batch& batch, const Fed& fed) {
  batch.begin_frame(fed.wire);
  batch.frames.back().changed = fed.changed;
  for (const StreamEvent& event : fed.events)
    batch.push(event);
}

/// Renders the frames as one batch.
inline std::string render(const ReplyContext& context, const std::vector<Fed>& frames) {
  const auto encoder = openai_chat().encoder(context);
  Batch batch;
  for (const Fed& fed : frames)
    add_frame(batch, fed);
  Pieces out;
  encoder->encode(batch, out);
  encoder->finish(out);
  return out.joined();
}

/// Renders each frame as a batch of its own, reused as the pump does it.
inline std::string render_cut(const ReplyContext& context, const std::vector<Fed>& frames) {
  const auto encoder = openai_chat().encoder(context);
  Batch batch;
  std::string all;
  for (const Fed& fed : frames) {
    batch.clear();
    add_frame(batch, fed);
    Pieces out;
    encoder->encode(batch, out);
    all += out.joined();
  }
  Pieces out;
  encoder->finish(out);
  return all + out.joined();
}

/// Every event in a frame of its own: a translated reply.
inline std::vector<Fed> translated(const Events& events) {
  std::vector<Fed> frames;
  for (const StreamEvent& event : events)
    frames.push_back({"", {event}});
  return frames;
}

inline ReplyContext stream_context() {
  ReplyContext context;
  context.id = "chatcmpl-1";
  context.created = 1700000000;
  context.model = "asked";
  context.stream = true;
  return context;
}

inline ReplyContext whole_context() {
  ReplyContext context = stream_context();
  context.stream = false;
  return context;
}

inline constexpr std::string_view chunk_head =
    R"(data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,)"
    R"("model":"asked","choices":[)";

/// A chunk of one choice: `data: ...` with this text between `"choices":[{` and `}]`.
inline std::string chunk(std::string_view choice) {
  return std::string(chunk_head).append("{").append(choice).append("}]}\n\n");
}
inline std::string delta(std::string_view members, std::string_view index = "0") {
  return chunk(std::string("\"index\":")
                   .append(index)
                   .append(",\"delta\":{")
                   .append(members)
                   .append("},\"finish_reason\":null"));
}
inline std::string role(std::string_view index = "0") {
  return delta(R"("role":"assistant","content":"")", index);
}
inline std::string finish(std::string_view reason, std::string_view index = "0") {
  return chunk(std::string("\"index\":")
                   .append(index)
                   .append(",\"delta\":{},\"finish_reason\":\"")
                   .append(reason)
                   .append("\""));
}
inline constexpr std::string_view done = "data: [DONE]\n\n";

}  // namespace tollgate::wire::test
