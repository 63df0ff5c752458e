#include "gateway/app/access_line.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "policies/ledger/row_text.hpp"

namespace tollgate::app {
namespace {

using std::chrono::duration_cast;
using std::chrono::floor;
using std::chrono::microseconds;
using std::chrono::milliseconds;

/// RFC 3339 down to the second and with the point behind it. Years have four digits: system time
/// ends in 2262.
std::array<char, 20> second_text(std::chrono::sys_seconds second) {
  const auto day = floor<std::chrono::days>(second);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(second - day);
  std::array<char, 20> text{};
  char* at = wire::put_four(text.data(), static_cast<unsigned>(int{date.year()}));
  const auto part = [&at](char before, auto value) {
    *at++ = before;
    at = wire::put_pair(at, static_cast<unsigned>(value));
  };
  part('-', unsigned{date.month()});
  part('-', unsigned{date.day()});
  part('T', clock.hours().count());
  part(':', clock.minutes().count());
  part(':', clock.seconds().count());
  *at = '.';
  return text;
}

}  // namespace

std::string_view AccessLine::render(const Outcome& outcome) {
  text_.clear();
  write_who(outcome);
  write_target(outcome);
  write_end(outcome);
  write_usage(outcome);
  write_money(outcome);
  write_measures(outcome);
  write_attempts(outcome.attempts);
  text_.piece("}\n");
  return text_.view();
}

void AccessLine::write_who(const Outcome& outcome) {
  text_.piece(R"({"kind":"call","request_id":)").string_or_null(outcome.request_id);
  text_.piece(R"(,"client_request_id":)").string_or_null(outcome.client_request_id);
  if (!outcome.trace_id.empty()) text_.piece(R"(,"trace_id":)").string(outcome.trace_id);
  text_.piece(R"(,"started_at":)");
  write_time(outcome.started_at);
  text_.piece(R"(,"ended_at":)");
  write_time(outcome.ended_at);
  text_.piece(R"(,"tenant":)").string_or_null(outcome.tenant);
  text_.piece(R"(,"key_id":)").string_or_null(outcome.key_id);
  text_.piece(R"(,"user":)").string_or_null(outcome.user);
  write_tags(outcome.tags);
}

void AccessLine::write_target(const Outcome& outcome) {
  text_.piece(R"(,"endpoint":)").string(to_string(outcome.endpoint));
  text_.piece(R"(,"model_asked":)").string_or_null(outcome.model_asked);
  text_.piece(R"(,"model":)").string_or_null(outcome.model);
  text_.piece(R"(,"provider":)").string_or_null(outcome.provider);
  text_.piece(R"(,"upstream_model":)").string_or_null(outcome.upstream_model);
  text_.piece(R"(,"stream":)").boolean(outcome.stream);
}

void AccessLine::write_end(const Outcome& outcome) {
  text_.piece(R"(,"status":)").string(to_string(outcome.status));
  text_.piece(R"(,"http_status":)").number(outcome.http_status);
  text_.piece(R"(,"error":)").string_or_null(outcome.error);
  text_.piece(R"(,"error_detail":)").string_or_null(outcome.error_detail);
  if (!outcome.error.empty()) {
    text_.piece(R"(,"origin":)").string(to_string(outcome.error_origin));
  }
  text_.piece(R"(,"finish":)").string_or_null(outcome.finish);
}

void AccessLine::write_usage(const Outcome& outcome) {
  text_.piece(R"(,"input_tokens":)").number(outcome.usage.input);
  text_.piece(R"(,"cache_read_tokens":)").number(outcome.usage.cache_read);
  text_.piece(R"(,"cache_write_tokens":)").number(outcome.usage.cache_write);
  text_.piece(R"(,"output_tokens":)").number(outcome.usage.output);
  text_.piece(R"(,"reasoning_tokens":)").number(outcome.usage.reasoning);
  text_.piece(R"(,"usage_source":)");
  text_.string_or_null(ledger::usage_source(outcome.usage_from_provider, outcome.charged,
                                            !outcome.attempts.empty()));
}

void AccessLine::write_money(const Outcome& outcome) {
  text_.piece(R"(,"cost_nano_usd":)");
  outcome.cost ? text_.number(*outcome.cost) : text_.piece("null");
  text_.piece(R"(,"charged_nano_usd":)").number(outcome.charged);
  if (!outcome.cache.empty()) {
    text_.piece(R"(,"cache":)").string(outcome.cache);
    text_.piece(R"(,"avoided_nano_usd":)").number(outcome.avoided);
  }
  text_.piece(R"(,"admitted_at":)");
  outcome.admitted_at > SystemTime{} ? write_time(outcome.admitted_at) : void(text_.piece("null"));
  text_.piece(R"(,"count":)").number(outcome.count);
  text_.piece(R"(,"price_version":)").string_or_null(outcome.price_version);
}

void AccessLine::write_measures(const Outcome& outcome) {
  text_.piece(R"(,"ttft_us":)");
  outcome.ttft.count() < 0 ? text_.piece("null") : text_.number(outcome.ttft.count());
  text_.piece(R"(,"duration_us":)").number(outcome.duration.count());
  text_.piece(R"(,"overhead_us":)").number(outcome.overhead.count());
  if (outcome.queued) {
    text_.piece(R"(,"queue_ms":)").number(duration_cast<milliseconds>(*outcome.queued).count());
  }
  text_.piece(R"(,"attempts":)").number(outcome.attempts.size());
  text_.piece(R"(,"request_bytes":)").number(outcome.request_bytes);
  text_.piece(R"(,"response_bytes":)").number(outcome.response_bytes);
  text_.piece(R"(,"client_address":)").string_or_null(outcome.client_address);
}

void AccessLine::write_tags(const HeaderList& tags) {
  text_.piece(R"(,"tags":{)");
  bool first = true;
  for (const auto& [name, value] : tags) {
    if (!std::exchange(first, false)) text_.piece(",");
    text_.string(name).piece(":").string(value);
  }
  text_.piece("}");
}

void AccessLine::write_attempts(const std::vector<AttemptOutcome>& attempts) {
  text_.piece(R"(,"attempt_errors":[)");
  bool first = true;
  for (const AttemptOutcome& attempt : attempts) {
    if (attempt.error.empty()) continue;
    if (!std::exchange(first, false)) text_.piece(",");
    write_attempt(attempt);
  }
  text_.piece("]");
}

void AccessLine::write_attempt(const AttemptOutcome& attempt) {
  const auto duration = duration_cast<microseconds>(attempt.ended_at - attempt.started_at);
  text_.piece(R"({"provider":)").string(attempt.provider);
  text_.piece(R"(,"upstream_model":)").string(attempt.upstream_model);
  text_.piece(R"(,"http_status":)").number(attempt.http_status);
  text_.piece(R"(,"error":)").string(attempt.error);
  text_.piece(R"(,"detail":)").string_or_null(attempt.error_detail);
  text_.piece(R"(,"duration_us":)").number(duration.count()).piece("}");
}

void AccessLine::write_time(SystemTime time) {
  const auto second = floor<std::chrono::seconds>(time);
  if (const std::int64_t count = second.time_since_epoch().count(); count != second_) {
    second_text_ = second_text(second);
    second_ = count;
  }
  const auto micros = static_cast<unsigned>(duration_cast<microseconds>(time - second).count());
  constexpr std::size_t bytes = 1 + 20 + 6 + 2;
  char* at = text_.room(bytes);
  *at++ = '"';
  at = std::ranges::copy(second_text_, at).out;
  at = wire::put_four(wire::put_pair(at, micros / 10'000), micros % 10'000);
  *at++ = 'Z';
  *at++ = '"';
  text_.advance(at);
}

}  // namespace tollgate::app
