// translate_reply: decodes a reply from stdin and renders it for a client of the openai_chat
// dialect, cut in every way. Prints the client's bytes; exit 2 when two cuts differ. A failure
// before any content is the JSON error body, one after it the stream's error event.
// Further arguments: --client-model NAME, --include-usage, --few-cuts, --status-line (prints the
// status first).
#include <algorithm>
#include <iostream>

#include "gateway/wire/dialect.hpp"
#include "tests/golden/splits.hpp"
#include "tests/golden/tool_args.hpp"

namespace tollgate::golden {
namespace {

wire::ReplyContext context_of(const Args& args) {
  wire::ReplyContext context;
  context.id = "chatcmpl-golden";
  context.created = 1700000000;
  context.model = args.text("client-model", "client-model");
  context.endpoint = endpoint_of(args);
  context.stream = args.flag("stream");
  context.include_usage = args.flag("include-usage");
  context.base64 = args.flag("base64");
  context.relay = args.flag("relay");
  return context;
}

/// What the client gets of one run.
struct Rendered {
  int status = 200;
  std::string bytes;
  bool operator==(const Rendered&) const = default;
};

Rendered render(const MakeDecoder& make, std::string_view body, const Cuts& cuts,
                const wire::ReplyContext& context) {
  const auto encoder = wire::openai_chat().encoder(context);
  Rendered out;
  bool content = false;
  const auto result = run(make, body, cuts, [&](Batch& batch) {
    Pieces pieces;
    content = content || std::ranges::any_of(batch.events, is_content);
    encoder->encode(batch, pieces);
    out.bytes += pieces.joined();
  });
  if (!result && (!content || !context.stream)) {
    return {result.error().status, wire::openai_chat().render_error(result.error())};
  }
  Pieces last;
  if (result) {
    encoder->finish(last);
  } else {
    encoder->fail(result.error(), last);
  }
  out.bytes += last.joined();
  return out;
}

int translate(const Args& args) {
  const routing::Provider& provider = provider_of(args);
  const ResponseHead head = head_of(args);
  const routing::DecodeHints hints = hints_of(args);
  const wire::ReplyContext context = context_of(args);
  const std::string body = read_stdin();
  const MakeDecoder make = [&] { return provider.decoder(head, hints); };
  const auto cuts = all_cuts(body.size(), args.flag("few-cuts"));
  const Rendered whole = render(make, body, cuts.front(), context);
  for (const Cuts& cut : cuts) {
    const Rendered other = render(make, body, cut, context);
    if (other == whole) continue;
    std::cerr << "cut at " << cut.front() << (cut.size() > 1 ? " and every byte" : "")
              << " differs:\n"
              << whole.bytes << "\n"
              << other.bytes << "\n";
    return 2;
  }
  if (args.flag("status-line")) std::cout << whole.status << "\n";
  std::cout << whole.bytes;
  return 0;
}

}  // namespace
}  // namespace tollgate::golden

int main(int count, char** values) {
  return tollgate::golden::translate(tollgate::golden::Args(count, values));
}
