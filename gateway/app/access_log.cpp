#include "gateway/app/access_log.hpp"

#include <cerrno>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "gateway/wire/json_writer.hpp"

namespace tollgate::app {
namespace {

constexpr std::size_t buffer_bytes_max = 8U << 20U;

std::string rfc3339(SystemTime time) {
  const auto micros =
      std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
  const std::time_t seconds = micros / 1000000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     micros % 1000000);
}

void text(wire::JsonWriter& json, std::string_view name, std::string_view value) {
  json.key(name);
  value.empty() ? json.null() : json.value(value);
}

void write_tags(wire::JsonWriter& json, const HeaderList& tags) {
  json.key("tags").begin_object();
  for (const auto& [name, value] : tags)
    json.member(name, std::string_view(value));
  json.end_object();
}

void write_attempts(wire::JsonWriter& json, const std::vector<AttemptOutcome>& attempts) {
  json.key("attempt_errors").begin_array();
  for (const AttemptOutcome& attempt : attempts) {
    if (attempt.error.empty()) continue;
    json.begin_object();
    json.member("provider", std::string_view(attempt.provider));
    json.member("upstream_model", std::string_view(attempt.upstream_model));
    json.member("http_status", attempt.http_status);
    json.member("error", std::string_view(attempt.error));
    text(json, "detail", attempt.error_detail);
    json.member("duration_us", std::chrono::duration_cast<std::chrono::microseconds>(
                                   attempt.ended_at - attempt.started_at)
                                   .count());
    json.end_object();
  }
  json.end_array();
}

void write_who(wire::JsonWriter& json, const Outcome& outcome) {
  json.member("kind", "call");
  text(json, "request_id", outcome.request_id);
  text(json, "client_request_id", outcome.client_request_id);
  json.member("started_at", std::string_view(rfc3339(outcome.started_at)));
  json.member("ended_at", std::string_view(rfc3339(outcome.ended_at)));
  text(json, "tenant", outcome.tenant);
  text(json, "key_id", outcome.key_id);
  text(json, "user", outcome.user);
  write_tags(json, outcome.tags);
  json.member("endpoint", to_string(outcome.endpoint));
  text(json, "model_asked", outcome.model_asked);
  text(json, "model", outcome.model);
  text(json, "provider", outcome.provider);
  text(json, "upstream_model", outcome.upstream_model);
  json.member("stream", outcome.stream);
}

void write_what(wire::JsonWriter& json, const Outcome& outcome) {
  json.member("status", to_string(outcome.status));
  json.member("http_status", outcome.http_status);
  text(json, "error", outcome.error);
  text(json, "error_detail", outcome.error_detail);
  if (!outcome.error.empty()) json.member("origin", to_string(outcome.error_origin));
  text(json, "finish", outcome.finish);
  json.member("input_tokens", outcome.usage.input);
  json.member("cache_read_tokens", outcome.usage.cache_read);
  json.member("cache_write_tokens", outcome.usage.cache_write);
  json.member("output_tokens", outcome.usage.output);
  json.member("reasoning_tokens", outcome.usage.reasoning);
  text(json, "usage_source", outcome.usage_from_provider ? "provider" : "");
  json.key("ttft_us");
  outcome.ttft.count() < 0 ? json.null()
                           : json.value(static_cast<std::int64_t>(outcome.ttft.count()));
  json.member("duration_us", static_cast<std::int64_t>(outcome.duration.count()));
  json.member("overhead_us", static_cast<std::int64_t>(outcome.overhead.count()));
  json.member("attempts", static_cast<std::uint64_t>(outcome.attempts.size()));
  json.member("request_bytes", outcome.request_bytes);
  json.member("response_bytes", outcome.response_bytes);
  text(json, "client_address", outcome.client_address);
}

}  // namespace

void append_access_line(std::string& out, const Outcome& outcome) {
  wire::JsonWriter json(out);
  json.begin_object();
  write_who(json, outcome);
  write_what(json, outcome);
  write_attempts(json, outcome.attempts);
  json.end_object();
  out += '\n';
}

AccessLog::AccessLog(std::string where) : where_(std::move(where)) {}
AccessLog::~AccessLog() { stop(); }

Result<void> AccessLog::start() {
  if (where_ == "off") return {};
  if (where_ == "stdout" || where_ == "stderr") {
    fd_ = where_ == "stdout" ? STDOUT_FILENO : STDERR_FILENO;
  } else {
    fd_ = ::open(where_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd_ < 0) {
      return fail(ErrorKind::internal,
                  "cannot open the access log " + where_ + ": " + std::strerror(errno));
    }
  }
  writer_ = std::thread([this] { write_loop(); });
  return {};
}

void AccessLog::record(const Outcome& outcome) noexcept {
  if (fd_ < 0) return;
  // The line is built outside the lock; only its bytes are copied inside.
  thread_local std::string line;
  line.clear();
  append_access_line(line, outcome);
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    if (buffer_.size() + line.size() > buffer_bytes_max) {
      dropped_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    first = buffer_.empty();
    buffer_ += line;
  }
  if (first) wake_.notify_one();
}

void AccessLog::write_loop() {
  std::string batch;
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !buffer_.empty() || reopen_; });
    batch.swap(buffer_);
    const bool last = stopping_ && batch.empty();
    lock.unlock();
    if (last) return;
    if (reopen_.exchange(false) && fd_ > STDERR_FILENO) {
      const int fresh = ::open(where_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
      if (fresh >= 0) ::close(fd_.exchange(fresh));
    }
    write_all(batch);
    batch.clear();
    lock.lock();
  }
}

void AccessLog::write_all(const std::string& text) {
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t wrote = ::write(fd_, text.data() + done, text.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) {  // a closed pipe or a full disk: the lines are lost, and counted
      dropped_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    done += static_cast<std::size_t>(wrote);
  }
}

void AccessLog::reopen() {
  reopen_ = true;
  wake_.notify_one();
}

void AccessLog::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (writer_.joinable()) writer_.join();
  if (const int fd = fd_.exchange(-1); fd > STDERR_FILENO) ::close(fd);
}

}  // namespace tollgate::app
