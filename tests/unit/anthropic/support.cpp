#include "tests/unit/anthropic/support.hpp"

#include "routing/providers/anthropic_decode.hpp"
#include "routing/providers/registry.hpp"

namespace tollgate::routing::anthropic::test {
namespace {

struct Line {
  std::string operator()(const Started& e) const { return "started: " + std::string(e.id); }
  std::string operator()(const TextDelta& e) const { return "text: " + std::string(e.text); }
  std::string operator()(const RefusalDelta& e) const { return "refusal: " + std::string(e.text); }
  std::string operator()(const ReasoningDelta& e) const {
    if (!e.signature.empty()) return "signature: " + std::string(e.signature);
    if (!e.redacted.empty()) return "redacted: " + std::string(e.redacted);
    return "reasoning: " + std::string(e.text);
  }
  std::string operator()(const ToolDelta& e) const {
    return "tool " + std::to_string(e.index) + ": " + std::string(e.id) + " " +
           std::string(e.name) + " " + std::string(e.arguments);
  }
  std::string operator()(const ExtraDelta& e) const { return "extra: " + std::string(e.name); }
  std::string operator()(const Finished& e) const {
    return "finish: " + std::string(to_string(e.reason));
  }
  std::string operator()(const UsageEvent&) const { return {}; }
  std::string operator()(const Embedding&) const { return "embedding"; }
  std::string operator()(const Ended&) const { return "ended"; }
};

void append(const Batch& batch, Decoded& out) {
  for (const StreamEvent& e : batch.events) {
    if (const auto* usage = std::get_if<UsageEvent>(&e)) out.usage = usage->usage;
    const std::string line = std::visit(Line{}, e);
    if (!line.empty()) out.log += line + "\n";
  }
}

}  // namespace

std::string event(std::string_view name, std::string_view json) {
  const std::string type(name);
  return "event: " + type + "\ndata: {\"type\":\"" + type + "\"" + std::string(json) + "}\n\n";
}

std::string start() {
  return event("message_start", R"(,"message":{"id":"msg_1","model":"claude-x","content":[],)"
                                R"("usage":{"input_tokens":3,"output_tokens":1}})");
}

std::string block_start(int index, std::string_view block) {
  return event("content_block_start",
               ",\"index\":" + std::to_string(index) + ",\"content_block\":" + std::string(block));
}

std::string block_delta(int index, std::string_view delta) {
  return event("content_block_delta",
               ",\"index\":" + std::to_string(index) + ",\"delta\":" + std::string(delta));
}

std::string block_stop(int index) {
  return event("content_block_stop", ",\"index\":" + std::to_string(index));
}

std::string end(std::string_view reason) {
  return event("message_delta", ",\"delta\":{\"stop_reason\":\"" + std::string(reason) +
                                    "\"},\"usage\":{\"output_tokens\":9}") +
         event("message_stop");
}

Decoded decode(std::string_view body, const DecodeHints& hints, const ResponseHead& head) {
  Decoded out;
  const auto decoder = make_decoder(head, hints);
  Batch batch;
  auto block = std::make_shared<Block>(body.size() + 1);
  out.result = decoder->feed(block, block->append(body), batch);
  if (out.result) out.result = decoder->finish(batch);
  append(batch, out);
  if (!out.result) {
    out.log += "error: " + out.result.error().code + " " +
               std::to_string(out.result.error().status) + "\n";
  }
  return out;
}

Decoded decode_stream(std::string_view body, const DecodeHints& hints) {
  ResponseHead head;
  head.status = 200;
  head.headers = {{"content-type", "text/event-stream; charset=utf-8"}};
  return decode(body, hints, head);
}

Decoded decode_whole(std::string_view body, const DecodeHints& hints) {
  ResponseHead head;
  head.status = 200;
  head.headers = {{"content-type", "application/json"}};
  return decode(body, hints, head);
}

EncodedText encode(std::string_view request, std::string_view model, bool refuse,
                   std::optional<std::uint64_t> limit) {
  auto entry = std::make_shared<ProviderEntry>();
  entry->codec = &anthropic_provider();
  const Target target{entry, std::string(model), 1};
  EncodedText out;
  auto view = wire::openai_chat().read(Endpoint::chat, request);
  if (!view) {
    out.error_param = view.error().param;
    return out;
  }
  view->limit_output(limit);
  EncodeContext context;
  context.api_key = "key";
  context.refuse_unsupported = refuse;
  const auto encoded = anthropic_provider().encode(*view, target, context);
  if (!encoded) {
    out.error_param = encoded.error().param;
    return out;
  }
  out.body = encoded->request.body.joined();
  for (const std::string& name : encoded->dropped)
    out.dropped += (out.dropped.empty() ? "" : ",") + name;
  out.headers = encoded->request.headers.list();
  out.target = encoded->request.target;
  out.hints = encoded->hints;
  return out;
}

}  // namespace tollgate::routing::anthropic::test
