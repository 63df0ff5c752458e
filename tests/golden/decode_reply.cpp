// decode_reply: runs a provider's decoder over a reply body from stdin, cut in every way, and
// prints what the events add up to. Exit 2 when two cuts differ. --few-cuts tries fewer of them.
#include <iostream>

#include "tests/golden/merged.hpp"
#include "tests/golden/splits.hpp"
#include "tests/golden/tool_args.hpp"

namespace tollgate::golden {
namespace {

int decode(const Args& args) {
  const routing::Provider& provider = provider_of(args);
  const ResponseHead head = head_of(args);
  const routing::DecodeHints hints = hints_of(args);
  const std::string body = read_stdin();
  const MakeDecoder make = [&] { return provider.decoder(head, hints); };
  std::string first;
  bool seen = false;
  for (const Cuts& cuts : all_cuts(body.size(), args.flag("few-cuts"))) {
    Merged merged;
    merged.end(run(make, body, cuts, [&](const Batch& batch) { merged.add(batch); }));
    const std::string json = merged.json();
    if (!seen) {
      first = json;
      seen = true;
    } else if (json != first) {
      std::cerr << "cut at " << cuts.front() << (cuts.size() > 1 ? " and every byte" : "")
                << " differs:\n"
                << first << "\n"
                << json << "\n";
      return 2;
    }
  }
  std::cout << first << "\n";
  return 0;
}

}  // namespace
}  // namespace tollgate::golden

int main(int count, char** values) {
  return tollgate::golden::decode(tollgate::golden::Args(count, values));
}
