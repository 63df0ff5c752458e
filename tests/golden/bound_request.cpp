// bound_request: JSON lines of recorded calls from stdin, one line of what each could have cost and
// what it did cost by a price file (--prices). A line in: kind, provider, host, model, endpoint,
// `request` (a chat request as its facts are read), `bytes` (of the body as it was sent), `reply`,
// `stream`. Where the file knows no price a flat one of a dollar a million tokens stands in.
#include <iostream>

#include "config/values.hpp"
#include "gateway/wire/json_view.hpp"
#include "gateway/wire/json_writer.hpp"
#include "policies/money/bound.hpp"
#include "policies/money/cost.hpp"
#include "tests/golden/book.hpp"
#include "tests/golden/splits.hpp"
#include "tests/golden/tool_args.hpp"

namespace tollgate::golden {
namespace {

using policies::Bound;
using policies::Tariff;

config::PriceRow flat_row() {
  config::PriceRow row;
  row.rates.input = row.rates.output = row.rates.audio_input = nano_per_usd;
  return row;
}

class Bounds {
 public:
  explicit Bounds(const std::string& prices) : flat_(flat_row()) {
    config_.price_books = read_book(prices);
    tariffs_.emplace(config_);
  }
  [[nodiscard]] std::string answer(const wire::JsonView& line) const;

 private:
  [[nodiscard]] Tariff tariff(const wire::JsonView& line) const;

  config::Config config_;
  std::optional<policies::Tariffs> tariffs_;
  config::PriceRow flat_;
};

Endpoint endpoint_named(const std::string& name) {
  if (name == "embeddings") return Endpoint::embeddings;
  return name == "completions" ? Endpoint::completions : Endpoint::chat;
}

/// nullopt: the reply is an error, or says nothing of its usage.
std::optional<Usage> usage_of(const wire::JsonView& line) {
  const routing::Provider* provider = routing::find_provider(line["kind"].string());
  if (provider == nullptr) die("no such kind: " + line["kind"].string());
  ResponseHead head;
  head.status = 200;
  routing::DecodeHints hints;
  hints.stream = line["stream"].text() == "true";
  hints.endpoint = endpoint_named(line["endpoint"].string());
  hints.model = line["model"].string();
  head.headers.add("content-type", hints.stream ? "text/event-stream" : "application/json");
  const std::string reply = line["reply"].string();
  std::optional<Usage> usage;
  const auto see = [&](const Batch& batch) {
    for (const StreamEvent& event : batch.events) {
      if (const auto* told = std::get_if<UsageEvent>(&event)) usage = told->usage;
    }
  };
  const auto done = run([&] { return provider->decoder(head, hints); }, reply, {}, see);
  return done ? usage : std::nullopt;
}

Tariff Bounds::tariff(const wire::JsonView& line) const {
  const std::string provider = line["provider"].string(), kind = line["kind"].string(),
                    model = line["model"].string();
  Tariff found = tariffs_->find({"", provider, kind, model, *config::parse_time("2026-11-30")});
  if (found.rows.empty()) {
    found.rows.push_back(&flat_);
    found.any_tier = &flat_;
  }
  return found;
}

void write_bound(wire::JsonWriter& w, const Bound& bound) {
  w.member("priced", bound.priced).member("unpriced", bound.unpriced);
  w.member("needs_limit", bound.needs_limit).member("bound", bound.total);
  w.member("bound_tokens", bound.input_tokens).member("bound_output", bound.output_limit);
}

std::string Bounds::answer(const wire::JsonView& line) const {
  const std::string request = line["request"].string(), model = line["model"].string(),
                    kind = line["kind"].string();
  const auto view = wire::openai_chat().read(endpoint_named(line["endpoint"].string()), request);
  std::string out;
  wire::JsonWriter w(out);
  w.begin_object();
  const auto usage = usage_of(line);
  if (!view) w.member("refused", view.error().message);
  if (view && usage) {
    const Tariff prices = tariff(line);
    const policies::BoundTarget target{
        .kind = kind, .model = model, .foreign_host = !policies::known_host(line["host"].string())};
    const auto bytes = static_cast<std::uint64_t>(line["bytes"].integer().value_or(0));
    const policies::RequestFacts facts = policies::facts_of(*view);
    write_bound(w, policies::bound_of(facts, bytes, target, prices));
    w.member("limited", facts.limit.has_value());
    w.member("flat", prices.rows.front() == &flat_);
    w.member("input_tokens", usage->prompt()).member("output_tokens", usage->output);
    const config::PriceRow* row = prices.row(usage->service_tier.text());
    const auto cost = row == nullptr ? std::nullopt : policies::cost_of(*usage, *row);
    w.key("cost");
    cost ? w.value(cost->total) : w.null();
  }
  w.end_object();
  return out;
}

int bound(const Args& args) {
  const Bounds bounds(args.text("prices"));
  for (std::string line; std::getline(std::cin, line);)
    std::cout << bounds.answer(wire::JsonView(line)) << "\n";
  return 0;
}

}  // namespace
}  // namespace tollgate::golden

int main(int count, char** values) {
  return tollgate::golden::bound(tollgate::golden::Args(count, values));
}
