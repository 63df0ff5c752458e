#include "gateway/app/ledger_commands.hpp"

#include <ostream>

#include "config/values.hpp"
#include "policies/ledger/export.hpp"
#include "policies/ledger/reader.hpp"
#include "policies/ledger/summary.hpp"

namespace tollgate::app {
namespace {

constexpr int refused = 1, wrong_usage = 2;
constexpr std::size_t flush_bytes = 1U << 16U;

int tell(std::ostream& err, const std::string& message, int code) {
  err << message << '\n';
  return code;
}

/// False: the text is no time; `err` has been told.
bool read_time(const char* option, const std::string& text, SystemTime& time, std::ostream& err) {
  if (text.empty()) return true;
  const auto parsed = config::parse_time(text);
  if (parsed) {
    time = *parsed;
    return true;
  }
  err << option
      << " must be a day such as 2026-11-30 or a time such as 2026-11-30T08:00:00Z, got \"" << text
      << "\"\n";
  return false;
}

bool read_since(const std::string& text, SystemTime& time, std::ostream& err) {
  if (const auto span = config::parse_duration(text)) {
    time = std::chrono::system_clock::now() - *span;
    return true;
  }
  return read_time("--since (a span such as 7d, or a time)", text, time, err);
}

std::optional<ledger::Reader> open(const config::Config& config, std::ostream& err) {
  auto reader = ledger::Reader::open(config.ledger);
  if (!reader) {
    err << reader.error().message << '\n';
    return std::nullopt;
  }
  if (!reader->note().empty()) err << "note: " << reader->note() << '\n';
  return std::move(*reader);
}

}  // namespace

int ledger_export(const config::Config& config, const LedgerQuestion& question, std::ostream& out,
                  std::ostream& err) {
  const auto format = ledger::parse_format(question.format);
  if (!format) return tell(err, "--format must be csv, jsonl or focus", wrong_usage);
  ledger::Period period;
  if (!read_time("--from", question.from, period.from, err)) return wrong_usage;
  if (!read_time("--to", question.to, period.to, err)) return wrong_usage;
  if (period.to < period.from) {
    return tell(err, "--to must not be before --from", wrong_usage);
  }
  auto reader = open(config, err);
  if (!reader) return refused;
  std::string text = ledger::export_head(*format);
  auto read = reader->each_call(period, [&](const Outcome& call) {
    ledger::export_call(*format, call, text);
    if (text.size() < flush_bytes) return;
    out << text;
    text.clear();
  });
  out << text;
  out.flush();
  if (!read) return tell(err, read.error().message, refused);
  return out.good() ? 0 : tell(err, "the export could not be written", refused);
}

int ledger_summary(const config::Config& config, const LedgerQuestion& question, std::ostream& out,
                   std::ostream& err) {
  auto summary = ledger::Summary::by(question.by);
  if (!summary) return tell(err, "--by: " + summary.error().message, wrong_usage);
  ledger::Period period;
  if (!read_since(question.since, period.from, err)) return wrong_usage;
  auto reader = open(config, err);
  if (!reader) return refused;
  auto read = reader->each_call(period, [&](const Outcome& call) { summary->add(call); });
  if (!read) return tell(err, read.error().message, refused);
  const std::string table = summary->table();
  out << (table.empty() ? "no calls\n" : table);
  return 0;
}

int ledger_verify(const config::Config& config, std::ostream& out, std::ostream& err) {
  auto reader = open(config, err);
  if (!reader) return refused;
  std::uint64_t calls = 0;
  NanoUsd charged = 0;
  auto read = reader->each_call({}, [&](const Outcome& call) {
    calls += call.count;
    charged = add_saturated(charged, call.charged);
  });
  if (!read) return tell(err, read.error().message, refused);
  auto differences = reader->verify();
  if (!differences) return tell(err, differences.error().message, refused);
  for (const std::string& difference : *differences)
    out << difference << '\n';
  if (!differences->empty()) {
    return tell(err, std::to_string(differences->size()) + " differences", refused);
  }
  out << "rows, attempts and sums agree: " << calls << " calls, " << usd_text(charged)
      << " USD charged\n";
  return 0;
}

}  // namespace tollgate::app
