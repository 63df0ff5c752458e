#include "policies/ledger/export.hpp"

#include <array>

#include "gateway/wire/json_writer.hpp"
#include "policies/ledger/row_text.hpp"

namespace tollgate::ledger {
namespace {

/// The fields in the contract's order. `Sink` takes text, number, null and json.
template <class Sink>
void write_usage(Sink& sink, const Usage& usage) {
  sink.number("input_tokens", usage.input);
  sink.number("cache_read_tokens", usage.cache_read);
  sink.number("cache_write_tokens", usage.cache_write);
  sink.number("output_tokens", usage.output);
  sink.number("reasoning_tokens", usage.reasoning);
}

template <class Sink, class Row>
void write_money(Sink& sink, const Row& row, const Outcome& call) {
  row.cost ? sink.number("cost_nano_usd", *row.cost) : sink.null("cost_nano_usd");
  sink.number("charged_nano_usd", row.charged);
  sink.json("cost_by_kind", cost_json(row.cost_by_kind));
  sink.number("cache_write_1h_tokens", row.usage.cache_write_1h);
  call.admitted_at > SystemTime{} ? sink.text("admitted_at", timestamp(call.admitted_at))
                                  : sink.null("admitted_at");
}

/// What both kinds of rows say of the call.
template <class Sink>
void write_who(Sink& sink, const Outcome& call) {
  sink.text("tenant", call.tenant);
  sink.text("key_id", call.key_id);
  sink.text("user", call.user);
  sink.json("tags", tags_json(call.tags));
  sink.text("endpoint", to_string(call.endpoint));
  sink.text("model_asked", call.model_asked);
  sink.text("model", call.model);
}

template <class Sink>
void write_call(Sink& sink, const Outcome& call) {
  sink.text("kind", "call");
  sink.text("request_id", call.request_id);
  sink.text("client_request_id", call.client_request_id);
  sink.null("attempt");
  sink.text("started_at", timestamp(call.started_at));
  sink.text("ended_at", timestamp(call.ended_at));
  write_who(sink, call);
  sink.text("provider", call.provider);
  sink.text("upstream_model", call.upstream_model);
  sink.truth("stream", call.stream);
  sink.text("status", to_string(call.status));
  sink.number("http_status", call.http_status);
  sink.text("error", call.error);
  sink.text("finish", call.finish);
  write_usage(sink, call.usage);
  write_money(sink, call, call);
  sink.number("count", call.count);
  sink.number("avoided_nano_usd", call.avoided);
  sink.text("price_version", call.price_version);
  sink.text("usage_source",
            usage_source(call.usage_from_provider, call.charged, !call.attempts.empty()));
  call.ttft.count() < 0 ? sink.null("ttft_us") : sink.number("ttft_us", call.ttft.count());
  sink.number("duration_us", call.duration.count());
  sink.number("overhead_us", call.overhead.count());
  sink.number("attempts", call.attempts.size());
  sink.text("cache", call.cache);
  sink.text("trace_id", call.trace_id);
}

template <class Sink>
void write_attempt(Sink& sink, const Outcome& call, std::size_t index) {
  const AttemptOutcome& attempt = call.attempts[index];
  sink.text("kind", "attempt");
  sink.text("request_id", call.request_id);
  sink.text("client_request_id", call.client_request_id);
  sink.number("attempt", index + 1);
  sink.text("started_at", timestamp(attempt.started_at));
  sink.text("ended_at", timestamp(attempt.ended_at));
  write_who(sink, call);
  sink.text("provider", attempt.provider);
  sink.text("upstream_model", attempt.upstream_model);
  sink.truth("stream", call.stream);
  sink.text("status", to_string(attempt.status));
  sink.number("http_status", attempt.http_status);
  sink.text("error", attempt.error);
  sink.text("finish", "");
  write_usage(sink, attempt.usage);
  write_money(sink, attempt, call);
  sink.number("count", 1);
  sink.number("avoided_nano_usd", 0);
  sink.text("price_version", attempt.price_version);
  sink.text("usage_source", usage_source(attempt.usage_from_provider, attempt.charged, true));
  sink.null("ttft_us");
  sink.number("duration_us", micros_of(attempt.ended_at) - micros_of(attempt.started_at));
  sink.null("overhead_us");
  sink.null("attempts");
  sink.text("cache", "");
  sink.text("trace_id", call.trace_id);
}

class JsonSink {
 public:
  explicit JsonSink(std::string& out) : json_(out) { json_.begin_object(); }
  /// As in the access log: what is not there is null.
  void text(std::string_view name, std::string_view value) {
    value.empty() ? json_.key(name).null() : json_.key(name).value(value);
  }
  void number(std::string_view name, auto value) {
    json_.key(name).value(static_cast<std::int64_t>(value));
  }
  void truth(std::string_view name, bool value) { json_.key(name).value(value); }
  void json(std::string_view name, std::string_view value) { json_.key(name).raw(value); }
  void null(std::string_view name) { json_.key(name).null(); }
  void end() { json_.end_object(); }

 private:
  wire::JsonWriter json_;
};

/// Writes the values, or the names for the first line.
class CsvSink {
 public:
  CsvSink(std::string& out, bool names) : out_(out), names_(names) {}
  void text(std::string_view name, std::string_view value) { field(name, value); }
  void number(std::string_view name, auto value) { field(name, std::to_string(value)); }
  void truth(std::string_view name, bool value) { field(name, value ? "true" : "false"); }
  void json(std::string_view name, std::string_view value) { field(name, value); }
  void null(std::string_view name) { field(name, ""); }

 private:
  void field(std::string_view name, std::string_view value) {
    if (std::exchange(more_, true)) out_ += ',';
    append_csv(out_, names_ ? name : value);
  }
  std::string& out_;
  bool names_, more_ = false;
};

void export_row(Format format, std::string& out, const auto& write) {
  if (format == Format::jsonl) {
    JsonSink sink(out);
    write(sink);
    sink.end();
  } else {
    CsvSink sink(out, false);
    write(sink);
  }
  out += '\n';
}

}  // namespace

std::optional<Format> parse_format(std::string_view name) {
  if (name == "csv") return Format::csv;
  if (name == "jsonl") return Format::jsonl;
  if (name == "focus") return Format::focus;
  return std::nullopt;
}

void append_csv(std::string& out, std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

std::string export_head(Format format) {
  if (format == Format::jsonl) return {};
  if (format == Format::focus) return focus_head();
  std::string out;
  CsvSink sink(out, true);
  write_call(sink, Outcome{});
  return out + "\n";
}

void export_call(Format format, const Outcome& call, std::string& out) {
  if (format == Format::focus) return export_focus(call, out);
  export_row(format, out, [&](auto& sink) { write_call(sink, call); });
  for (std::size_t i = 0; i < call.attempts.size(); ++i)
    export_row(format, out, [&](auto& sink) { write_attempt(sink, call, i); });
}

}  // namespace tollgate::ledger
