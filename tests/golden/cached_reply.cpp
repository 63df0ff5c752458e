// cached_reply: decodes a reply from stdin, cut in every way, as the cache sees it; prints what a
// client of the openai_chat dialect gets fresh and what it gets from the cache, each whole and as a
// stream: {"error": "" | "...", "stored": bool, "fresh": {"whole", "stream"}, "cached": {...}}.
// Exit 2 when two cuts are stored as different bytes.
#include <iostream>

#include "gateway/wire/dialect.hpp"
#include "gateway/wire/json_writer.hpp"
#include "policies/cache/recorder.hpp"
#include "tests/golden/splits.hpp"
#include "tests/golden/tool_args.hpp"

namespace tollgate::golden {
namespace {

constexpr std::size_t entry_max = 64U << 20U;

wire::ReplyContext context_of(const Args& args, bool stream) {
  return {.id = "chatcmpl-golden",
          .created = 1700000000,
          .model = "client-model",
          .endpoint = endpoint_of(args),
          .stream = stream,
          .include_usage = true};
}

struct Fresh {
  std::string whole, stream, error;
};

Fresh fresh(const MakeDecoder& make, std::string_view body, const Args& args) {
  Fresh out;
  for (const bool stream : {false, true}) {
    std::string& text = stream ? out.stream : out.whole;
    const auto encoder = wire::openai_chat().encoder(context_of(args, stream));
    const auto result = run(make, body, {}, [&](Batch& batch) {
      Pieces pieces;
      encoder->encode(batch, pieces);
      text += pieces.joined();
    });
    if (!result) out.error = result.error().message;
    Pieces last;
    if (result) encoder->finish(last);
    text += last.joined();
  }
  return out;
}

std::string stored(const MakeDecoder& make, std::string_view body, const Cuts& cuts) {
  cache::ReplyRecorder recorder(entry_max);
  const auto result = run(make, body, cuts, [&](Batch& batch) { recorder.take(batch); });
  if (!result) return {};
  cache::ReplyFacts facts;
  facts.model = recorder.model();
  return recorder.finish(facts);
}

std::string from_cache(const std::string& bytes, const Args& args, bool stream) {
  const auto reply = cache::read_reply(bytes);
  if (!reply) die("what was stored is no reply");
  const auto encoder = wire::openai_chat().encoder(context_of(args, stream));
  Batch batch;
  for (const StreamEvent& event : reply->events)
    batch.push(event);
  Pieces out;
  encoder->encode(batch, out);
  encoder->finish(out);
  return out.joined();
}

int show(const Args& args) {
  const routing::Provider& provider = provider_of(args);
  const ResponseHead head = head_of(args);
  const routing::DecodeHints hints = hints_of(args);
  const std::string body = read_stdin();
  const MakeDecoder make = [&] { return provider.decoder(head, hints); };
  const Fresh plain = fresh(make, body, args);
  const std::string bytes = stored(make, body, {});
  for (const Cuts& cut : all_cuts(body.size(), true)) {
    if (stored(make, body, cut) == bytes) continue;
    std::cerr << "cut at " << cut.front() << " is stored as other bytes\n";
    return 2;
  }
  std::string out;
  wire::JsonWriter json(out);
  json.begin_object().member("error", plain.error).member("stored", !bytes.empty());
  json.key("fresh").begin_object();
  json.member("whole", plain.whole).member("stream", plain.stream).end_object();
  if (!bytes.empty()) {
    json.key("cached").begin_object().member("whole", from_cache(bytes, args, false));
    json.member("stream", from_cache(bytes, args, true)).end_object();
  }
  json.end_object();
  std::cout << out;
  return 0;
}

}  // namespace
}  // namespace tollgate::golden

int main(int count, char** values) {
  return tollgate::golden::show(tollgate::golden::Args(count, values));
}
