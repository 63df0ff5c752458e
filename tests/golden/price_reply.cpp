// price_reply: decodes a reply body from stdin and prints what it cost by a price file (--prices),
// at a date (--when): usage, cost by kind in nano-dollars, the row's version. --model: whose price;
// else the one that the reply names. `cost` is null where the price is unknown.
#include <iostream>

#include "config/values.hpp"
#include "gateway/wire/json_writer.hpp"
#include "policies/money/cost.hpp"
#include "policies/money/tariff.hpp"
#include "tests/golden/book.hpp"
#include "tests/golden/splits.hpp"
#include "tests/golden/tool_args.hpp"

namespace tollgate::golden {
namespace {

using policies::Cost;

struct Told {
  std::string model;
  Usage usage;
};

Told decode(const Args& args) {
  const routing::Provider& provider = provider_of(args);
  const ResponseHead head = head_of(args);
  const routing::DecodeHints hints = hints_of(args);
  const std::string body = read_stdin();
  Told told;
  const auto see = [&](const Batch& batch) {
    for (const StreamEvent& event : batch.events) {
      if (const auto* started = std::get_if<Started>(&event)) told.model = started->model;
      if (const auto* usage = std::get_if<UsageEvent>(&event)) told.usage = usage->usage;
    }
  };
  const auto done = run([&] { return provider.decoder(head, hints); }, body, {}, see);
  if (!done) die("the reply is an error: " + done.error().message);
  return told;
}

void write_cost(wire::JsonWriter& w, const Cost& cost) {
  const CostByKind& kinds = cost.by_kind;
  w.begin_object().member("total", cost.total);
  w.member("input", kinds.input).member("cache_read", kinds.cache_read);
  w.member("cache_write", kinds.cache_write).member("cache_write_1h", kinds.cache_write_1h);
  w.member("output", kinds.output).member("reasoning", kinds.reasoning);
  w.member("audio_input", kinds.audio_input).member("audio_output", kinds.audio_output);
  w.member("images", kinds.images).member("requests", kinds.requests);
  w.member("tools", kinds.tools).end_object();
}

void write_usage(wire::JsonWriter& w, const Usage& usage) {
  w.begin_object().member("input", usage.input).member("cache_read", usage.cache_read);
  w.member("cache_write", usage.cache_write).member("cache_write_1h", usage.cache_write_1h);
  w.member("output", usage.output).member("reasoning", usage.reasoning);
  w.member("audio_input", usage.audio_input).member("audio_output", usage.audio_output);
  w.member("image_output", usage.image_output).member("images", usage.images);
  w.member("web_searches", usage.web_searches).member("web_fetches", usage.web_fetches);
  w.member("service_tier", usage.service_tier.text()).end_object();
}

int price(const Args& args) {
  const Told told = decode(args);
  const std::string model = args.text("model", told.model);
  const auto when = config::parse_time(args.text("when", "2026-11-30"));
  if (!when) die("--when takes a date");
  config::Config config;
  config.price_books = read_book(args.text("prices"));
  const policies::Tariffs tariffs(config);
  const auto tariff =
      tariffs.find({"", args.text("provider", args.text("kind")), args.text("kind"), model, *when});
  const config::PriceRow* row = tariff.row(told.usage.service_tier.text());
  const auto cost = row == nullptr ? std::nullopt : policies::cost_of(told.usage, *row);
  std::string out;
  wire::JsonWriter w(out);
  w.begin_object().member("model", told.model).key("usage");
  write_usage(w, told.usage);
  w.key("cost");
  cost ? write_cost(w, *cost) : static_cast<void>(w.null());
  w.member("price_version", row == nullptr ? std::string() : row->version).end_object();
  std::cout << out << "\n";
  return 0;
}

}  // namespace
}  // namespace tollgate::golden

int main(int count, char** values) {
  return tollgate::golden::price(tollgate::golden::Args(count, values));
}
