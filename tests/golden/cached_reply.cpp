// cached_reply: decodes a reply from stdin, cut in every way, as the cache sees it; prints what a
// client of the openai_chat dialect gets fresh and what it gets from the cache, each whole and as a
// stream: {"error": "" | "...", "stored": bool, "fresh": {"whole", "stream"}, "cached": {...}}.
// With --again also what a client gets of a relay in the form it came in, "relayed": {"fresh",
// "again"}.
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

wire::ReplyContext context_of(const Args& args, bool stream, bool relay = false) {
  return {.id = "chatcmpl-golden",
          .created = 1700000000,
          .model = "client-model",
          .endpoint = endpoint_of(args),
          .stream = stream,
          .include_usage = true,
          .relay = relay};
}

/// In which a client gets a reply.
struct Form {
  bool stream = false, relay = false;
};

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

std::string stored(const MakeDecoder& make, std::string_view body, const Cuts& cuts,
                   const Form& form = {}) {
  cache::ReplyRecorder recorder(entry_max, form.stream);
  const auto take = [&](Batch& batch) { recorder.take(batch, form.relay); };
  const auto result = run(make, body, cuts, take);
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

std::string relayed_fresh(const MakeDecoder& make, std::string_view body, const Args& args) {
  const auto encoder = wire::openai_chat().encoder(context_of(args, args.flag("stream"), true));
  Pieces pieces;
  std::string text;
  const auto result = run(make, body, {}, [&](Batch& batch) {
    encoder->encode(batch, pieces);
    text += pieces.joined();
    pieces.clear();
  });
  if (result) encoder->finish(pieces);
  return text + pieces.joined();
}

std::string relayed_again(const std::string& bytes, const Args& args) {
  const bool stream = args.flag("stream");
  const auto reply = cache::read_reply(bytes);
  if (!reply || reply->relayed.empty()) return {};
  if (cache::is_relayed_stream(reply->relayed) != stream) die("kept in another form");
  const wire::ReplyContext context = context_of(args, stream, true);
  const auto encoder = wire::openai_chat().encoder(context);
  Batch batch;
  const cache::Identity identity{.id = context.id, .created = context.created};
  if (!cache::relay_again(reply->relayed, entry_max, identity, reply->events, batch)) {
    die("what was kept cannot be relayed again");
  }
  Pieces out;
  encoder->encode(batch, out);
  encoder->finish(out);
  return out.joined();
}

/// What a client gets of a relay, fresh and again. False: two cuts are stored as different bytes.
bool show_relay(const routing::Provider& provider, const ResponseHead& head,
                routing::DecodeHints hints, std::string_view body, const Args& args,
                wire::JsonWriter& json) {
  hints.relay = true;
  const MakeDecoder as_ever = [&] { return provider.decoder(head, hints); };
  routing::DecodeHints full = hints;
  full.full_events = true;
  const MakeDecoder make = [&] { return provider.decoder(head, full); };
  const Form form{.stream = hints.stream, .relay = true};
  const std::string bytes = stored(make, body, {}, form);
  for (const Cuts& cut : all_cuts(body.size(), true)) {
    if (stored(make, body, cut, form) != bytes) return false;
  }
  json.key("relayed").begin_object().member("fresh", relayed_fresh(as_ever, body, args));
  json.member("again", bytes.empty() ? std::string() : relayed_again(bytes, args)).end_object();
  return true;
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
  if (args.flag("again") && !show_relay(provider, head, hints, body, args, json)) {
    std::cerr << "a relay is stored as other bytes when it comes in other pieces\n";
    return 2;
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
