#include "bench/replies.hpp"

#include <spdlog/fmt/fmt.h>
#include <vector>

#include "bench/stamp.hpp"

namespace tollgate::bench {
namespace {

constexpr std::string_view stream_head =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n"
    "Transfer-Encoding: chunked\r\n\r\n";

/// JSON and SSE of one dialect; `$` is where a text goes.
struct Script {
  std::string_view whole;
  std::vector<std::string_view> before;
  std::string_view delta;
  std::vector<std::string_view> after;
};

#define CHUNK                                                   \
  R"({"id":"chatcmpl-bench","object":"chat.completion.chunk",)" \
  R"("created":1760000000,"model":"bench-1","choices":)"

const Script openai{
    R"({"id":"chatcmpl-bench","object":"chat.completion","created":1760000000,"model":"bench-1",)"
    R"("choices":[{"index":0,"message":{"role":"assistant","content":"$"},)"
    R"("finish_reason":"stop"}],)"
    R"("usage":{"prompt_tokens":700,"completion_tokens":200,"total_tokens":900}})",
    {"data: " CHUNK
     R"([{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]})"},
    "data: " CHUNK R"([{"index":0,"delta":{"content":"$"},"finish_reason":null}]})",
    {"data: " CHUNK R"([{"index":0,"delta":{},"finish_reason":"stop"}]})",
     "data: " CHUNK
     R"([],"usage":{"prompt_tokens":700,"completion_tokens":200,"total_tokens":900}})",
     "data: [DONE]"}};

#undef CHUNK

const Script anthropic{
    R"({"id":"msg_bench","type":"message","role":"assistant","model":"bench-1",)"
    R"("content":[{"type":"text","text":"$"}],"stop_reason":"end_turn","stop_sequence":null,)"
    R"("usage":{"input_tokens":700,"output_tokens":200}})",
    {"event: message_start\ndata: "
     R"({"type":"message_start","message":{"id":"msg_bench","type":"message","role":"assistant",)"
     R"("model":"bench-1","content":[],"stop_reason":null,"stop_sequence":null,)"
     R"("usage":{"input_tokens":700,"output_tokens":1}}})",
     "event: content_block_start\ndata: "
     R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})",
     "event: ping\ndata: {\"type\":\"ping\"}"},
    "event: content_block_delta\ndata: "
    R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"$"}})",
    {"event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}",
     "event: message_delta\ndata: "
     R"({"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},)"
     R"("usage":{"output_tokens":200}})",
     "event: message_stop\ndata: {\"type\":\"message_stop\"}"}};

#define USAGE                                                                                     \
  R"("usageMetadata":{"promptTokenCount":700,"candidatesTokenCount":200,"totalTokenCount":900},)" \
  R"("modelVersion":"bench-1","responseId":"bench"})"

const Script gemini{
    R"({"candidates":[{"content":{"role":"model","parts":[{"text":"$"}]},"finishReason":"STOP",)"
    R"("index":0}],)" USAGE,
    {},
    R"(data: {"candidates":[{"content":{"role":"model","parts":[{"text":"$"}]},"index":0}],)"
    R"("modelVersion":"bench-1","responseId":"bench"})",
    {R"(data: {"candidates":[{"content":{"role":"model","parts":[{"text":""}]},)"
     R"("finishReason":"STOP","index":0}],)" USAGE}};

#undef USAGE

const Script& script_of(Dialect dialect) {
  switch (dialect) {
    case Dialect::anthropic:
      return anthropic;
    case Dialect::gemini:
      return gemini;
    case Dialect::openai:
      break;
  }
  return openai;
}

std::string filled(std::string_view pattern, std::string_view text) {
  std::string out(pattern);
  if (const std::size_t at = out.find('$'); at != out.npos) out.replace(at, 1, text);
  return out;
}

std::string prose(std::size_t size) {
  static constexpr std::string_view words = "It costs about as much as a plain reverse proxy. ";
  std::string out;
  while (out.size() < size)
    out += words[out.size() % words.size()];
  return out;
}

/// One SSE event as one chunk of a chunked body.
std::string chunk(std::string_view event) {
  return fmt::format("{:x}\r\n{}\n\n\r\n", event.size() + 2, event);
}

std::string whole_reply(const Script& script, std::size_t body_bytes) {
  const std::size_t frame = script.whole.size() - 1;
  const std::string body = filled(script.whole, prose(body_bytes > frame ? body_bytes - frame : 0));
  return fmt::format(
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
      body.size(), body);
}

StreamReply stream_reply(const Script& script, std::size_t text_bytes) {
  StreamReply reply;
  reply.opening = stream_head;
  for (const std::string_view event : script.before)
    reply.opening += chunk(event);
  const std::size_t padding = text_bytes > Stamp::size ? text_bytes - Stamp::size : 0;
  reply.delta = chunk(filled(script.delta, std::string(Stamp::blank) + prose(padding)));
  reply.stamp_at = reply.delta.find(Stamp::blank);
  for (const std::string_view event : script.after)
    reply.closing += chunk(event);
  reply.closing += "0\r\n\r\n";
  return reply;
}

/// `"stream":true`, which stands before or behind the long part of a body.
bool wants_stream(std::string_view body) {
  static constexpr std::size_t edge = 1024;
  const auto has = [](std::string_view part) {
    return part.find(R"("stream":true)") != part.npos ||
           part.find(R"("stream": true)") != part.npos;
  };
  return has(body.substr(0, edge)) || (body.size() > edge && has(body.substr(body.size() - edge)));
}

}  // namespace

Replies make_replies(Dialect dialect, const ReplySizes& sizes) {
  const Script& script = script_of(dialect);
  return {whole_reply(script, sizes.body_bytes), stream_reply(script, sizes.text_bytes)};
}

std::optional<Asked> asked_by(std::string_view target, std::string_view body) {
  const std::string_view path = target.substr(0, target.find('?'));
  if (path.ends_with("/chat/completions")) return Asked{Dialect::openai, wants_stream(body)};
  if (path.ends_with("/messages")) return Asked{Dialect::anthropic, wants_stream(body)};
  if (path.ends_with(":generateContent")) return Asked{Dialect::gemini, false};
  if (path.ends_with(":streamGenerateContent")) return Asked{Dialect::gemini, true};
  return std::nullopt;
}

}  // namespace tollgate::bench
