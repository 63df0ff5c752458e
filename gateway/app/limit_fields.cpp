#include "gateway/app/limit_fields.hpp"

#include <algorithm>
#include <array>
#include <concepts>

#include "gateway/core/http.hpp"
#include "gateway/wire/plain_text.hpp"

namespace tollgate::app {
namespace {

/// Header lines of our own making: names and figures, in which nothing can break a line.
class Lines {
 public:
  explicit Lines(ReplyHead& head) : head_(head) {}
  ~Lines() { head_.fields.append(text_.data(), at_); }
  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;

  Lines& text(std::string_view text) {
    at_ = std::copy(text.begin(), text.end(), at_);
    return *this;
  }
  template <std::integral Number>
  Lines& number(Number number) {
    at_ = wire::put_number(at_, static_cast<std::uint64_t>(number));
    return *this;
  }
  Lines& end() { return text("\r\n"); }

 private:
  ReplyHead& head_;
  std::array<char, 256> text_;  // three lines of one kind
  char* at_ = text_.data();
};

/// As OpenAI spells it: `6m0s`, `1.5s`, `20ms`.
void add_reset(Lines& lines, std::chrono::milliseconds time) {
  const auto ms = std::max<std::int64_t>(time.count(), 0);
  if (ms < 1000) return void(lines.number(ms).text("ms"));
  if (ms >= 3'600'000) lines.number(ms / 3'600'000).text("h");
  if (ms >= 60'000) lines.number(ms / 60'000 % 60).text("m");
  lines.number(ms / 1000 % 60);
  if (const auto rest = ms % 1000 / 100; rest > 0) lines.text(".").number(rest);
  lines.text("s");
}

/// The three headers of one kind of bucket.
struct KindNames {
  std::string_view limit, remaining, reset;
};
constexpr KindNames of_requests{"x-ratelimit-limit-requests: ", "x-ratelimit-remaining-requests: ",
                                "x-ratelimit-reset-requests: "};
constexpr KindNames of_tokens{
    "x-ratelimit-limit-tokens: ", "x-ratelimit-remaining-tokens: ", "x-ratelimit-reset-tokens: "};

void add_kind(ReplyHead& head, const KindNames& names, std::uint64_t limit, std::uint64_t remaining,
              std::chrono::milliseconds reset) {
  if (limit == 0) return;
  Lines lines(head);
  lines.text(names.limit).number(limit).end();
  lines.text(names.remaining).number(remaining).end();
  add_reset(lines.text(names.reset), reset);
  lines.end();
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
  head.fields.reserve(384);  // both kinds
  const bool denied = spending.denial() && !spending.admitted();
  denied ? add_denial(head, *spending.denial()) : add_room(head, spending.room());
  if (!spending.would_deny().empty()) head.add("x-tollgate-would-deny", spending.would_deny());
  if (!spending.degraded().empty()) head.add("x-tollgate-degraded", spending.degraded());
  if (spending.cut_to() > 0) {
    Lines(head).text("x-tollgate-max-tokens: ").number(spending.cut_to()).end();
  }
  return std::move(head.fields);
}

}  // namespace tollgate::app
