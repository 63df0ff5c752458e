#include "gateway/app/limit_fields.hpp"

#include <array>
#include <charconv>

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

void add_number(ReplyHead& head, std::string_view name, std::uint64_t value) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  head.add(name, {digits.data(), end});
}

/// The three headers of one kind of bucket.
struct KindNames {
  std::string_view limit, remaining, reset;
};
constexpr KindNames of_requests{"x-ratelimit-limit-requests", "x-ratelimit-remaining-requests",
                                "x-ratelimit-reset-requests"};
constexpr KindNames of_tokens{"x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens",
                              "x-ratelimit-reset-tokens"};

void add_kind(ReplyHead& head, const KindNames& names, std::uint64_t limit, std::uint64_t remaining,
              std::chrono::milliseconds reset) {
  if (limit == 0) return;
  add_number(head, names.limit, limit);
  add_number(head, names.remaining, remaining);
  head.add(names.reset, reset_text(reset));
}

void add_denial(ReplyHead& head, const Denial& denial) {
  head.add("x-tollgate-limit-scope", denial.scope);
  const std::uint64_t left = denial.limit - std::min(denial.limit, denial.used);
  if (denial.kind == DenialKind::requests) {
    add_kind(head, of_requests, denial.limit, left, denial.retry_after);
  } else if (denial.kind == DenialKind::tokens) {
    add_kind(head, of_tokens, denial.limit, left, denial.retry_after);
  }
}

void add_room(ReplyHead& head, const Room& room) {
  if (room.limit_requests == 0 && room.limit_tokens == 0) return;
  head.add("x-tollgate-limit-scope", room.scope);
  add_kind(head, of_requests, room.limit_requests, room.remaining_requests, room.reset_requests);
  add_kind(head, of_tokens, room.limit_tokens, room.remaining_tokens, room.reset_tokens);
}

}  // namespace

std::string limit_fields(const policies::Spending& spending) {
  ReplyHead head;
  head.fields.reserve(256);
  const bool denied = spending.denial() && !spending.admitted();
  denied ? add_denial(head, *spending.denial()) : add_room(head, spending.room());
  if (!spending.would_deny().empty()) head.add("x-tollgate-would-deny", spending.would_deny());
  if (!spending.degraded().empty()) head.add("x-tollgate-degraded", spending.degraded());
  if (spending.cut_to() > 0) {
    add_number(head, "x-tollgate-max-tokens", spending.cut_to());
  }
  return head.fields;
}

}  // namespace tollgate::app
