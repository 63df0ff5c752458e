#include "gateway/net/inbox.hpp"

#include <algorithm>
#include <cstring>

namespace tollgate::net {
namespace {

// Room that stays behind a kept body, so that a hang-up is noticed while it is being served.
constexpr std::size_t slack = 1024;

}  // namespace

Inbox::Inbox(std::size_t head_bytes_max)
    : capacity_max_(std::max(head_bytes_max + slack, usual_bytes)) {}

void Inbox::Half::resize(std::size_t to, std::string_view content) {
  auto fresh = std::make_unique_for_overwrite<char[]>(to);
  if (!content.empty()) std::memcpy(fresh.get(), content.data(), content.size());
  bytes = std::move(fresh);
  capacity = to;
}

std::span<char> Inbox::prepare() {
  into_body_ = !dropping_ && body_ != nullptr && begin_ == end_ && !body_->room().empty();
  reading_ = true;
  if (into_body_) return body_->room();
  if (dropping_) start_over();
  make_room();
  reading_ = end_ < half().capacity;
  return {half().bytes.get() + end_, half().capacity - end_};
}

void Inbox::commit(std::size_t bytes) {
  reading_ = false;
  if (dropping_) {
    dropped_ += bytes;
  } else if (into_body_) {
    body_->commit(bytes);
  } else {
    end_ += bytes;
  }
}

/// What lies here is of no use any more: the whole half is free.
void Inbox::start_over() {
  begin_ = end_ = kept_ = 0;
  other_kept_ = false;
}

void Inbox::make_room() {
  if (begin_ == end_ && kept_ > 0 && !other_kept_) {
    active_ ^= 1U;
    other_kept_ = true;
    kept_ = begin_ = end_ = 0;
  }
  if (begin_ == end_) begin_ = end_ = kept_;
  Half& here = half();
  if (here.capacity == 0 || (end_ == 0 && here.capacity > usual_bytes)) {
    here.resize(usual_bytes, {});
  }
  if (kept_ > 0 || end_ < here.capacity) return;
  if (begin_ > 0) {
    std::memmove(here.bytes.get(), here.bytes.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  } else if (!other_kept_ && here.capacity < capacity_max_) {
    // Only heads grow a half: what is pipelined behind a running request waits in the kernel.
    here.resize(std::min(capacity_max_, here.capacity * 2), {here.bytes.get(), end_});
  }
}

std::string_view Inbox::unread() const { return {half().bytes.get() + begin_, end_ - begin_}; }

void Inbox::consume(std::size_t bytes) { begin_ += bytes; }

std::string_view Inbox::keep(std::size_t bytes) {
  const std::string_view kept = unread().substr(0, bytes);
  begin_ += kept.size();
  kept_ = begin_;
  return kept;
}

void Inbox::release() {
  kept_ = 0;
  other_kept_ = false;
}

void Inbox::give_back() {
  if (reading_ || begin_ != end_ || kept_ > 0 || other_kept_) return;
  begin_ = end_ = 0;
  halves_ = {};
}

bool Inbox::fits(std::uint64_t bytes) const {
  std::size_t room = half().capacity - begin_;
  // With nothing unread the other half's turn may come before the first byte.
  if (begin_ == end_) room = std::min(room, usual_bytes);
  return room >= slack && bytes <= room - slack;
}

}  // namespace tollgate::net
