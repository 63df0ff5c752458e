#include "tests/unit/gemini/support.hpp"

#include <algorithm>
#include <doctest/doctest.h>

#include "gateway/wire/dialect.hpp"
#include "routing/providers/registry.hpp"

namespace tollgate::routing::gemini::test {
namespace {

struct Line {
  template <class Number>
  static std::string of(std::string_view what, Number choice, std::string_view text) {
    std::string line(what);
    if (choice != 0) line += "[" + std::to_string(choice) + "]";
    return line + " " + std::string(text);
  }
  std::string operator()(const Started& e) const {
    return of("started", 0, std::string(e.id) + " " + std::string(e.model));
  }
  std::string operator()(const TextDelta& e) const { return of("text", e.choice, e.text); }
  std::string operator()(const RefusalDelta& e) const { return of("refusal", e.choice, e.text); }
  std::string operator()(const ReasoningDelta& e) const {
    return of("reasoning", e.choice, std::string(e.text) + std::string(e.signature));
  }
  std::string operator()(const ToolDelta& e) const {
    std::string line = std::to_string(e.index);
    for (std::string_view text : {e.id, e.name, e.arguments, e.signature})
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
    return "usage " + std::to_string(u.input) + "+" + std::to_string(u.cache_read) + " " +
           std::to_string(u.output) + "(" + std::to_string(u.reasoning) + ")";
  }
  std::string operator()(const Embedding& e) const {
    return "embedding " + std::to_string(e.index) + " " + std::to_string(e.floats.size());
  }
  std::string operator()(const Ended&) const { return "ended"; }
};

void take(Batch& batch, Got& got) {
  for (const StreamEvent& event : batch.events)
    got.events.push_back(std::visit(Line{}, event));
  batch.clear();
}

Sent judged(Result<Encoded> encoded) {
  Sent sent;
  if (!encoded) {
    CHECK((encoded.error().status == 400 || encoded.error().status == 404));
    sent.error_param = encoded.error().param;
    sent.error_kind = encoded.error().kind;
    return sent;
  }
  sent.body = encoded->request.body.joined();
  sent.target = encoded->request.target;
  sent.hints = encoded->hints;
  for (const std::string& name : encoded->dropped)
    sent.dropped += (sent.dropped.empty() ? "" : ",") + name;
  for (const auto& [name, value] : encoded->request.headers) {
    if (name == "x-goog-api-key") CHECK(value == "the-key");
  }
  return sent;
}

}  // namespace

Sent encode(std::string_view request, const Options& options) {
  auto entry = std::make_shared<ProviderEntry>();
  entry->codec = &gemini_provider();
  entry->address.base_path = options.base_path;
  const Target target{entry, std::string(options.model), 1};
  EncodeContext context;
  context.api_key = "the-key";
  context.request_id = "req-1";
  context.refuse_unsupported = options.refuse;
  auto view = wire::openai_chat().read(options.endpoint, request);
  REQUIRE(view);
  view->limit_output(options.limit);
  return judged(gemini_provider().encode(*view, target, context));
}

Sent encode_with(std::string_view members, const Options& options) {
  std::string request = R"({"model":"m","messages":[{"role":"user","content":"hi"}])";
  if (!members.empty()) request.append(",").append(members);
  return encode(request + "}", options);
}

std::string Got::joined() const {
  std::string all;
  for (const std::string& line : events)
    all += line + "\n";
  return all;
}

Got decode(std::string_view body, int status, std::string_view content_type,
           const DecodeHints& hints) {
  ResponseHead head;
  head.status = status;
  head.headers = {{"content-type", std::string(content_type)}};
  const auto decoder = gemini_provider().decoder(head, hints);
  Got got;
  Batch batch;
  auto block = std::make_shared<Block>(std::max<std::size_t>(body.size(), 1));
  got.result = decoder->feed(block, block->append(body), batch);
  take(batch, got);
  if (!got.result) return got;
  got.result = decoder->finish(batch);
  take(batch, got);
  return got;
}

std::string stream_of(const std::vector<std::string>& responses) {
  std::string all;
  for (const std::string& response : responses)
    all += "data: " + response + "\r\n\r\n";
  return all;
}

}  // namespace tollgate::routing::gemini::test
