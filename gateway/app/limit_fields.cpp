#include "gateway/app/limit_fields.hpp"

#include "gateway/core/http.hpp"

namespace tollgate::app {
namespace {

/// As OpenAI spells it: `6m0s`, `1.5s`, `20ms`.
std::string reset_text(std::chrono::milliseconds time) {
  const auto ms = time.count();
  if (ms < 1000) return std::to_string(ms) + "ms";
  std::string text;
  if (ms >= 3'600'000) text += std::to_string(ms / 3'600'000) + "h";
  if (ms >= 60'000) text += std::to_string(ms / 60'000 % 60) + "m";
  text += std::to_string(ms / 1000 % 60);
  if (const auto rest = ms % 1000 / 100; rest > 0) text += "." + std::to_string(rest);
  return text + "s";
}

void add_kind(ReplyHead& head, std::string_view kind, std::uint64_t limit, std::uint64_t remaining,
              std::chrono::milliseconds reset) {
  if (limit == 0) return;
  const std::string name(kind);
  head.add("x-ratelimit-limit-" + name, std::to_string(limit));
  head.add("x-ratelimit-remaining-" + name, std::to_string(remaining));
  head.add("x-ratelimit-reset-" + name, reset_text(reset));
}

void add_denial(ReplyHead& head, const Denial& denial) {
  head.add("x-tollgate-limit-scope", denial.scope);
  const std::uint64_t left = denial.limit - std::min(denial.limit, denial.used);
  if (denial.kind == DenialKind::requests) {
    add_kind(head, "requests", denial.limit, left, denial.retry_after);
  } else if (denial.kind == DenialKind::tokens) {
    add_kind(head, "tokens", denial.limit, left, denial.retry_after);
  }
}

void add_room(ReplyHead& head, const Room& room) {
  if (room.limit_requests == 0 && room.limit_tokens == 0) return;
  head.add("x-tollgate-limit-scope", room.scope);
  add_kind(head, "requests", room.limit_requests, room.remaining_requests, room.reset_requests);
  add_kind(head, "tokens", room.limit_tokens, room.remaining_tokens, room.reset_tokens);
}

}  // namespace

std::string limit_fields(const policies::Spending& spending) {
  ReplyHead head;
  const bool denied = spending.denial() && !spending.admitted();
  denied ? add_denial(head, *spending.denial()) : add_room(head, spending.room());
  if (!spending.would_deny().empty()) head.add("x-tollgate-would-deny", spending.would_deny());
  if (!spending.degraded().empty()) head.add("x-tollgate-degraded", spending.degraded());
  if (spending.cut_to() > 0) {
    head.add("x-tollgate-max-tokens", std::to_string(spending.cut_to()));
  }
  return head.fields;
}

}  // namespace tollgate::app
