#include "bench/runner.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <limits>

namespace tollgate::bench {
namespace {

constexpr std::uint64_t failures_max = 1000;  // the server is gone: no use in going on

void tell(const char* word) {
  std::puts(word);
  std::fflush(stdout);
}

std::uint64_t span(std::int64_t from, std::int64_t to) {
  return to > from ? static_cast<std::uint64_t>(to - from) : 0;
}

}  // namespace

Runner::Runner(const Plan& plan)
    : plan_(plan), connections_(plan.connections), read_buffer_(256 * 1024) {
  results_.streams.late_ns = plan.late_ns;
}

const Results& Runner::run() {
  for (Index i = 0; i < connections_.size(); ++i) {
    // With a ramp each connection is opened when its turn has come: a server closes those that
    // are silent for long.
    if (plan_.ramp_ns == 0 && !open_connection(i))
      fail(i, std::string("connect: ") + std::strerror(errno));
    // In a closed loop connections enter by the ramp, in an open loop they wait for work.
    if (!closed_loop()) idle_.push_back(i);
  }
  if (plan_.requests > 0)
    run_counted();
  else
    run_window();
  return results_;
}

/// So many requests, all of them measured; the window ends with the last reply.
void Runner::run_counted() {
  start_ns_ = opens_ns_ = now_ns();
  shuts_ns_ = opens_ns_ + plan_.window_ns;
  tell("measuring");
  turn(shuts_ns_);
  tell("measured");
  results_.window_ns = now_ns() - opens_ns_;
  results_.unfinished = plan_.requests - ended_;
}

void Runner::run_window() {
  start_ns_ = now_ns();
  opens_ns_ = start_ns_ + plan_.warmup_ns;
  shuts_ns_ = opens_ns_ + plan_.window_ns;
  holds_ = plan_.hold;
  turn(opens_ns_);
  holds_ = false;
  tell("measuring");
  opens_ns_ = now_ns();
  shuts_ns_ = opens_ns_ + plan_.window_ns;
  turn(shuts_ns_);
  shuts_ns_ = now_ns();
  tell("measured");
  results_.window_ns = shuts_ns_ - opens_ns_;
  for (const Connection& connection : connections_)
    if (connection.busy && connection.watch.saw_delta()) ++results_.open_streams;
  sending_ = closed_loop() ? false : !waiting_.empty();
  if (!plan_.stream) turn(now_ns() + plan_.drain_ns);
  for (const Connection& connection : connections_)
    if (connection.busy && !plan_.stream && in_window(connection.due_ns)) ++results_.unfinished;
  for (const std::int64_t due : waiting_)
    if (in_window(due)) ++results_.unfinished;
}

/// Serves the connections until the clock shows `until_ns`, or, when nothing more is to be sent,
/// until all is quiet.
void Runner::turn(std::int64_t until_ns) {
  const bool draining = now_ns() >= shuts_ns_;
  while (failures_ < failures_max && !all_ended() && !all_begun()) {
    const std::int64_t now = now_ns();
    if (now >= until_ns) return;
    if (!draining) make_due(now);
    hand_out();
    const auto busy = [](const Connection& connection) { return connection.busy; };
    if (draining && waiting_.empty() && std::ranges::none_of(connections_, busy)) return;
    for (const epoll_event& event : epoll_.wait(std::min(until_ns, next_due_ns()))) {
      const Index index = event.data.u32;
      if (event.events & EPOLLOUT) send_rest(index);
      if (event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) receive(index);
    }
  }
}

std::int64_t Runner::next_due_ns() const {
  const auto place = static_cast<double>(handed_out_);
  if (!closed_loop()) return start_ns_ + static_cast<std::int64_t>(place / plan_.rate * 1e9);
  if (handed_out_ >= connections_.size()) return std::numeric_limits<std::int64_t>::max();
  const double share = place / static_cast<double>(connections_.size());
  return start_ns_ + static_cast<std::int64_t>(share * static_cast<double>(plan_.ramp_ns));
}

void Runner::make_due(std::int64_t now) {
  for (std::int64_t due = next_due_ns(); due <= now; due = next_due_ns()) {
    if (closed_loop())
      begin_next(static_cast<Index>(handed_out_), due);
    else
      waiting_.push_back(due);
    ++handed_out_;
  }
}

void Runner::hand_out() {
  while (!waiting_.empty() && !idle_.empty()) {
    const Index index = idle_.back();
    idle_.pop_back();
    const std::int64_t due = waiting_.front();
    waiting_.pop_front();
    begin(index, due);
  }
}

bool Runner::open_connection(Index index) {
  Connection& connection = connections_[index];
  connection.link = Link::connected(plan_.port, plan_.tls);
  if (!connection.link.open()) return false;
  epoll_.add(connection.link.fd(), index);
  return true;
}

void Runner::begin(Index index, std::int64_t due) {
  Connection& connection = connections_[index];
  connection.busy = true;
  connection.due_ns = due;
  connection.sent = 0;
  connection.reply.restart();
  connection.watch.restart();
  if (!connection.link.open() && !open_connection(index))
    return fail(index, std::string("connect: ") + std::strerror(errno));
  send_rest(index);
}

void Runner::send_rest(Index index) {
  Connection& connection = connections_[index];
  if (!connection.busy || !connection.link.open()) return;
  const std::string& request = plan_.request;
  while (connection.sent < request.size()) {
    const ssize_t sent = connection.link.write(std::string_view(request).substr(connection.sent));
    if (sent == 0) break;
    // The server may have closed the connection while it was idle: the read finds out.
    if (sent < 0) return;
    connection.sent += static_cast<std::size_t>(sent);
  }
  const bool wait = connection.sent < request.size();
  if (wait != connection.waits_to_write) epoll_.want_writes(connection.link.fd(), index, wait);
  connection.waits_to_write = wait;
}

void Runner::receive(Index index) {
  Connection& connection = connections_[index];
  if (!connection.link.open()) return;
  const ssize_t size = connection.link.read(read_buffer_);
  if (size == 0) return;
  if (size > 0) {
    const std::string_view bytes(read_buffer_.data(), static_cast<std::size_t>(size));
    if (!connection.busy) return fail(index, "bytes without a request");
    take(index, bytes, now_ns());
    return;
  }
  if (!connection.busy) {  // closing an idle connection is a server's right
    ++results_.reconnects;
    return drop(index);
  }
  if (connection.reply.begun()) return fail(index, "closed in the middle of a reply");
  // Our request crossed the close of an idle connection: once more, on a new one.
  ++results_.reconnects;
  if (++failures_ >= failures_max) return fail(index, "closed without a reply");
  drop(index);
  begin(index, connection.due_ns);
}

/// Takes bytes of a reply; false when the connection has failed.
bool Runner::take(Index index, std::string_view bytes, std::int64_t now) {
  Connection& connection = connections_[index];
  connection.body.clear();
  const std::size_t used = connection.reply.feed(bytes, connection.body);
  if (connection.reply.bad()) return fail(index, "not an HTTP reply"), false;
  const bool counts = in_window(now);
  if (counts) results_.body_bytes += connection.body.size();
  if (plan_.stream && connection.reply.status() == 200) {
    const bool began = connection.watch.saw_delta();
    connection.watch.feed(connection.body, now, counts ? &results_.streams : nullptr);
    if (!began && connection.watch.saw_delta()) {
      ++streams_begun_;
      if (in_window(connection.due_ns)) results_.first_delta.record(span(connection.due_ns, now));
    }
  }
  if (!connection.reply.done()) return true;
  if (used < bytes.size()) return fail(index, "bytes behind the reply"), false;
  finish_reply(index, now);
  return true;
}

void Runner::finish_reply(Index index, std::int64_t now) {
  Connection& connection = connections_[index];
  if (connection.reply.status() != 200)
    return fail(index, "status " + std::to_string(connection.reply.status()));
  if (plan_.stream && !connection.watch.complete()) return fail(index, "a stream without its end");
  const bool counts = in_window(now);
  if (plan_.stream) connection.watch.finish(plan_.events, counts ? &results_.streams : nullptr);
  if (counts) ++results_.requests;
  ++results_.answered;
  if (in_window(connection.due_ns)) results_.latency.record(span(connection.due_ns, now));
  connection.busy = false;
  ++ended_;
  if (connection.reply.closes()) {
    ++results_.reconnects;
    drop(index);
  }
  release(index);
}

/// The connection is free: closed loop, its next request is due now.
void Runner::release(Index index) {
  if (!closed_loop())
    idle_.push_back(index);
  else if (sending_ && start_ns_ != 0)
    begin_next(index, now_ns());
}

/// Closed loop: one more request, if the plan has one more.
void Runner::begin_next(Index index, std::int64_t due) {
  if (!may_begin()) return;
  ++begun_;
  begin(index, due);
}

void Runner::fail(Index index, std::string what) {
  ++results_.errors[std::move(what)];
  ++failures_;
  drop(index);
  const bool had_work = connections_[index].busy;
  if (had_work) ++ended_;
  connections_[index].busy = false;
  // A request that failed is not sent again; in a closed loop the connection goes on, unless the
  // server does not even take connections.
  if (had_work && failures_ < failures_max) release(index);
}

void Runner::drop(Index index) {
  Connection& connection = connections_[index];
  if (!connection.link.open()) return;
  epoll_.remove(connection.link.fd());
  connection.link.close();
  connection.waits_to_write = false;
}

}  // namespace tollgate::bench
