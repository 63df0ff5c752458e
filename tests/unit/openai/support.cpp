#include "tests/unit/openai/support.hpp"

#include <doctest/doctest.h>

#include "gateway/wire/dialect.hpp"
#include "routing/providers/registry.hpp"

namespace tollgate::routing::openai::test {
namespace {

struct Line {
  static std::string of(std::string_view what, std::uint32_t choice, std::string_view text) {
    std::string line(what);
    if (choice != 0) line += "[" + std::to_string(choice) + "]";
    return line + " " + std::string(text);
  }
  std::string operator()(const Started& e) const {
    return "started " + std::string(e.id) + " " + std::string(e.model);
  }
  std::string operator()(const TextDelta& e) const { return of("text", e.choice, e.text); }
  std::string operator()(const RefusalDelta& e) const { return of("refusal", e.choice, e.text); }
  std::string operator()(const ReasoningDelta& e) const {
    std::string text(e.text);
    if (!e.signature.empty()) text += "signature:" + std::string(e.signature);
    if (!e.redacted.empty()) text += "redacted:" + std::string(e.redacted);
    return of("reasoning", e.choice, text);
  }
  std::string operator()(const ToolDelta& e) const {
    std::string line = std::to_string(e.index);
    for (std::string_view text : {e.id, e.name, e.arguments})
      line += " " + std::string(text.empty() ? "-" : text);
    return of("tool", e.choice, line);
  }
  std::string operator()(const ExtraDelta& e) const {
    return of("extra", e.choice, std::string(e.name) + " " + std::string(e.json));
  }
  std::string operator()(const Finished& e) const {
    return of("finish", e.choice, to_string(e.reason));
  }
  std::string operator()(const UsageEvent& e) const {
    const Usage& u = e.usage;
    return "usage " + std::to_string(u.input) + "+" + std::to_string(u.cache_read) + "+" +
           std::to_string(u.cache_write) + " " + std::to_string(u.output) + "(" +
           std::to_string(u.reasoning) + ")" + paid_beside(u);
  }
  /// Only what is there: most replies have none of it.
  static std::string paid_beside(const Usage& u) {
    std::string out;
    if (u.images > 0) out += " images " + std::to_string(u.images);
    if (u.image_output > 0) out += " image tokens " + std::to_string(u.image_output);
    if (u.web_searches > 0) out += " searches " + std::to_string(u.web_searches);
    if (!u.service_tier.text().empty()) out += " tier " + std::string(u.service_tier.text());
    return out;
  }
  std::string operator()(const Embedding& e) const {
    return "embedding " + std::to_string(e.index) + " " + std::to_string(e.floats.size());
  }
  std::string operator()(const Ended&) const { return "ended"; }
};

void take(Batch& batch, Got& got) {
  for (const StreamEvent& event : batch.events)
    got.events += std::visit(Line{}, event) + "\n";
  batch.clear();
}

}  // namespace

Sent encode(std::string_view request, const Asked& asked) {
  auto view = wire::openai_chat().read(asked.endpoint, request);
  REQUIRE(view);
  view->set_defaults(&asked.defaults);
  view->limit_output(asked.limit);
  auto entry = std::make_shared<ProviderEntry>();
  entry->codec = &openai_provider();
  entry->address.base_path = "/v1";
  entry->allow_fields = asked.allow_fields;
  entry->own_host = asked.own_host;
  EncodeContext context;
  context.api_key = asked.api_key;
  auto encoded = openai_provider().encode(*view, {entry, std::string(asked.model), 1}, context);
  Sent sent;
  if (!encoded) {
    CHECK(encoded.error().status == 400);
    CHECK(encoded.error().code == "unsupported_parameter");
    sent.error_param = encoded.error().param;
    return sent;
  }
  sent.body = encoded->request.body.joined();
  sent.target = encoded->request.target;
  sent.headers = encoded->request.headers.list();
  sent.hints = encoded->hints;
  return sent;
}

Got decode(std::string_view body, const DecodeHints& hints, int status, const HeaderList& headers) {
  ResponseHead head;
  head.status = status;
  head.headers = headers;
  const auto decoder = openai_provider().decoder(head, hints);
  Got got;
  Batch batch;
  auto block = std::make_shared<Block>(body.size() + 1);
  got.result = decoder->feed(block, block->append(body), batch);
  take(batch, got);
  if (!got.result) return got;
  got.result = decoder->finish(batch);
  take(batch, got);
  return got;
}

std::string frames_of(const std::vector<std::string_view>& pieces, const DecodeHints& hints) {
  ResponseHead head;
  head.status = 200;
  const auto decoder = openai_provider().decoder(head, hints);
  std::string wire;
  Batch batch;
  const auto take_wire = [&](const Result<void>& result) {
    CHECK(result);
    for (const Frame& frame : batch.frames)
      wire += frame.wire;
    batch.clear();
  };
  for (const std::string_view piece : pieces) {
    const auto block = std::make_shared<Block>(piece.size());
    const std::string_view bytes = block->append(piece);
    take_wire(decoder->feed(block, bytes, batch));
  }
  take_wire(decoder->finish(batch));
  return wire;
}

Got decode_stream(const std::vector<std::string>& chunks, bool relay) {
  std::string body;
  for (const std::string& json : chunks)
    body += "data: " + json + "\n\n";
  DecodeHints hints;
  hints.stream = true;
  hints.relay = relay;
  return decode(body, hints);
}

std::string chunk(std::string_view delta, std::string_view finish) {
  return R"({"id":"c1","model":"m","choices":[{"index":0,"delta":)" + std::string(delta) +
         R"(,"finish_reason":)" + std::string(finish) + "}]}";
}

}  // namespace tollgate::routing::openai::test
