#include "gateway/app/reply_fields.hpp"

#include <string>

namespace tollgate::app {
namespace {

void add_retry_after(ReplyHead& head, std::chrono::milliseconds wait) {
  const auto seconds = std::max<std::int64_t>(1, (wait.count() + 999) / 1000);
  head.add("retry-after", std::to_string(seconds));
  head.add("retry-after-ms", std::to_string(std::max<std::int64_t>(wait.count(), 0)));
}

/// Where nobody said when: a purse is not filled in a second.
std::chrono::milliseconds usual_wait(const Error& error) {
  return error.kind == ErrorKind::upstream_quota ? std::chrono::minutes(1)
                                                 : std::chrono::seconds(1);
}

}  // namespace

ReplyHead base_head(const Run& run, int status) {
  ReplyHead head;
  head.status = status;
  head.fields.reserve(512);
  head.add("x-request-id", run.call.outcome.request_id);
  head.fields += run.cors_fields;
  head.fields += run.limit_fields;
  head.fields += run.cache_fields;
  return head;
}

ReplyHead error_head(const Run& run, const Error& error) {
  ReplyHead head = base_head(run, error.status);
  head.add("content-type", "application/json");
  // A budget without end (`per: total`) has no time to name.
  const bool timeless = error.kind == ErrorKind::budget_exceeded && !error.retry_after;
  if ((error.status == 429 || error.status == 503) && !timeless) {
    add_retry_after(head, error.retry_after.value_or(usual_wait(error)));
  }
  if (retry_cannot_help(error)) head.add("x-should-retry", "false");
  if (!run.allow.empty()) head.add("allow", run.allow);
  if (!run.call.outcome.attempts.empty()) add_route_fields(head, run);
  add_overhead(head, run);
  return head;
}

void add_route_fields(ReplyHead& head, const Run& run) {
  const Outcome& outcome = run.call.outcome;
  if (!outcome.provider.empty()) head.add("x-tollgate-provider", outcome.provider);
  head.add("x-tollgate-model", outcome.model);
  head.add("x-tollgate-attempts", std::to_string(outcome.attempts.size()));
}

void add_overhead(ReplyHead& head, const Run& run) {
  const auto ours = std::chrono::steady_clock::now() - run.call.started - run.call.waited;
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(ours).count();
  head.add("x-tollgate-overhead-us", std::to_string(us));
}

}  // namespace tollgate::app
