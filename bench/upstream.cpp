// bench_upstream: the mock provider of the benchmark, on 127.0.0.1 only. Answers POSTs in the
// dialect of their path from replies that were rendered at the start, after a chosen delay; streams
// have a chosen count of deltas at a chosen interval. Prints its port when it listens.
#include <CLI/CLI.hpp>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <queue>
#include <stdexcept>
#include <strings.h>
#include <sys/socket.h>
#include <vector>

#include "bench/link.hpp"
#include "bench/loop.hpp"
#include "bench/replies.hpp"
#include "bench/stamp.hpp"

namespace tollgate::bench {
namespace {

struct Settings {
  std::uint16_t port = 0;
  ReplySizes sizes;
  double delay_ms = 0;
  std::uint32_t events = 100;
  double interval_ms = 0;
  std::string certificate_file;  // empty: plain
  std::string key_file;
};

constexpr std::string_view not_found =
    "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 53\r\n\r\n"
    R"({"error":{"message":"no such place","type":"bench"}} )";
constexpr std::string_view no_length =
    "HTTP/1.1 411 Length Required\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/// The length of the body that `head` announces; -1: none.
std::int64_t content_length(std::string_view head) {
  static constexpr std::string_view name = "content-length:";
  for (std::size_t at = head.find("\r\n"); at != head.npos; at = head.find("\r\n")) {
    head.remove_prefix(at + 2);
    if (head.size() < name.size() || ::strncasecmp(head.data(), name.data(), name.size()) != 0)
      continue;
    std::string_view value = head.substr(name.size());
    while (value.starts_with(' '))
      value.remove_prefix(1);
    std::int64_t length = -1;
    std::from_chars(value.data(), value.data() + value.size(), length);
    return length;
  }
  return -1;
}

class Server {
 public:
  explicit Server(const Settings& settings)
      : settings_(settings),
        delay_ns_(static_cast<std::int64_t>(settings.delay_ms * 1e6)),
        interval_ns_(static_cast<std::int64_t>(settings.interval_ms * 1e6)),
        read_buffer_(256 * 1024) {
    if (!settings.certificate_file.empty())
      tls_ = Tls::server(settings.certificate_file, settings.key_file);
    for (const Dialect dialect : {Dialect::openai, Dialect::anthropic, Dialect::gemini})
      replies_[static_cast<std::size_t>(dialect)] = make_replies(dialect, settings.sizes);
  }

  int run() {
    listener_ = listen_on(settings_.port);
    if (listener_ < 0) {
      std::fprintf(stderr, "bench_upstream: cannot listen on port %d: %s\n", settings_.port,
                   std::strerror(errno));
      return 1;
    }
    epoll_.add(listener_, listener_tag);
    std::printf("%d\n", port_of(listener_));
    std::fflush(stdout);
    for (;;) {
      const std::int64_t wake =
          timers_.empty() ? std::numeric_limits<std::int64_t>::max() : timers_.top().at_ns;
      for (const epoll_event& event : epoll_.wait(wake))
        handle(event);
      run_timers();
    }
  }

 private:
  static constexpr std::uint32_t listener_tag = std::numeric_limits<std::uint32_t>::max();

  struct Peer {
    std::uint64_t generation = 0;  // timers of a peer that is gone do not touch its successor
    Link link;
    bool waits_to_write = false;
    std::string in;
    std::string out;                 // what the socket did not take
    const Replies* reply = nullptr;  // the one that is under way
    bool stream = false;
    std::uint32_t next_event = 0;
  };

  struct Timer {
    std::int64_t at_ns;
    int fd;
    std::uint64_t generation;
    bool operator<(const Timer& other) const { return at_ns > other.at_ns; }  // earliest on top
  };

  void handle(const epoll_event& event) {
    if (event.data.u32 == listener_tag) return accept_all();
    const int fd = static_cast<int>(event.data.u32);
    if (event.events & EPOLLOUT) write(fd, {});
    if (event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) receive(fd);
  }

  void accept_all() {
    for (;;) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      const auto index = static_cast<std::size_t>(fd);
      if (index >= peers_.size()) peers_.resize(index + 1);
      peers_[index] = Peer{};
      peers_[index].generation = ++generations_;
      peers_[index].link = Link::accepted(fd, tls_ ? &*tls_ : nullptr);
      epoll_.add(fd, static_cast<std::uint32_t>(fd));
    }
  }

  Peer& peer(int fd) { return peers_[static_cast<std::size_t>(fd)]; }

  void receive(int fd) {
    if (!peer(fd).link.open()) return;
    const ssize_t size = peer(fd).link.read(read_buffer_);
    if (size < 0) return close_peer(fd);
    if (size == 0) return;
    peer(fd).in.append(read_buffer_.data(), static_cast<std::size_t>(size));
    take_request(fd);
  }

  void take_request(int fd) {
    Peer& from = peer(fd);
    if (from.reply) return;  // one at a time
    const std::size_t end = from.in.find("\r\n\r\n");
    if (end == from.in.npos) return;
    const std::string_view text(from.in);
    const std::int64_t length = content_length(text.substr(0, end));
    if (length < 0) return write(fd, no_length), close_peer(fd);
    const std::size_t size = end + 4 + static_cast<std::size_t>(length);
    if (text.size() < size) return;
    const std::size_t from_target = text.find(' ') + 1;
    const std::string_view target =
        text.substr(from_target, text.find(' ', from_target) - from_target);
    const auto asked = asked_by(target, text.substr(end + 4, size - end - 4));
    from.in.erase(0, size);
    if (!asked) return write(fd, not_found);
    from.reply = &replies_[static_cast<std::size_t>(asked->dialect)];
    from.stream = asked->stream;
    from.next_event = 0;
    if (delay_ns_ > 0)
      timers_.push({now_ns() + delay_ns_, fd, from.generation});
    else
      answer(fd, now_ns());
  }

  /// The next step of the reply under way.
  void answer(int fd, std::int64_t due) {
    Peer& to = peer(fd);
    const Replies& reply = *to.reply;
    if (!to.stream) {
      to.reply = nullptr;
      write(fd, reply.whole);
      return take_next(fd);
    }
    if (to.next_event == 0) write(fd, reply.stream.opening);
    if (!to.link.open()) return;
    if (to.next_event == settings_.events) {
      to.reply = nullptr;
      write(fd, reply.stream.closing);
      return take_next(fd);
    }
    delta_ = reply.stream.delta;
    Stamp{to.next_event, now_ns()}.write(delta_.data() + reply.stream.stamp_at);
    ++to.next_event;
    write(fd, delta_);
    if (to.link.open()) timers_.push({due + interval_ns_, fd, to.generation});
  }

  void take_next(int fd) {
    if (peer(fd).link.open() && !peer(fd).in.empty()) take_request(fd);
  }

  void run_timers() {
    const std::int64_t now = now_ns();
    // Those that are pushed meanwhile wait for the next turn: sockets come between.
    due_.clear();
    for (; !timers_.empty() && timers_.top().at_ns <= now; timers_.pop())
      due_.push_back(timers_.top());
    for (const Timer& timer : due_) {
      const Peer& to = peer(timer.fd);
      if (!to.link.open() || to.generation != timer.generation || !to.reply) continue;
      if (to.out.empty())
        answer(timer.fd, timer.at_ns);
      else  // a reader that does not keep up is not sent more
        timers_.push({now + 1'000'000, timer.fd, timer.generation});
    }
  }

  /// Sends what is left over and then `bytes`.
  void write(int fd, std::string_view bytes) {
    Peer& to = peer(fd);
    if (!to.link.open()) return;
    if (!to.out.empty()) {
      to.out += bytes;
      bytes = to.out;
    }
    while (!bytes.empty()) {
      const ssize_t sent = to.link.write(bytes);
      if (sent == 0) break;
      if (sent < 0) return close_peer(fd);
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    to.out = std::string(bytes);
    if (to.out.empty() == to.waits_to_write) {
      to.waits_to_write = !to.out.empty();
      epoll_.want_writes(fd, static_cast<std::uint32_t>(fd), to.waits_to_write);
    }
  }

  void close_peer(int fd) {
    if (!peer(fd).link.open()) return;
    epoll_.remove(fd);
    peer(fd) = Peer{};
  }

  Settings settings_;
  std::int64_t delay_ns_;
  std::int64_t interval_ns_;
  std::array<Replies, 3> replies_;
  std::optional<Tls> tls_;
  Epoll epoll_;
  int listener_ = -1;
  std::vector<Peer> peers_;  // by descriptor
  std::uint64_t generations_ = 0;
  std::priority_queue<Timer> timers_;
  std::vector<Timer> due_;
  std::vector<char> read_buffer_;
  std::string delta_;
};

int run(int argc, char** argv) {
  CLI::App app("The mock provider of Tollgate's benchmark");
  Settings settings;
  app.add_option("--port", settings.port, "On 127.0.0.1; 0 takes a free one");
  app.add_option("--reply-bytes", settings.sizes.body_bytes, "JSON of a whole reply");
  app.add_option("--delay-ms", settings.delay_ms, "From the request to the reply");
  app.add_option("--events", settings.events, "Deltas in a stream")->check(CLI::Range(1, 999999));
  app.add_option("--interval-ms", settings.interval_ms, "Between two deltas");
  app.add_option("--text-bytes", settings.sizes.text_bytes, "Text of a delta with its stamp");
  CLI::Option* key = app.add_option("--tls-key", settings.key_file, "PEM; goes with --tls-cert");
  key->needs(app.add_option("--tls-cert", settings.certificate_file, "PEM: speak TLS")->needs(key));
  CLI11_PARSE(app, argc, argv);
  raise_descriptor_limit();
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
  try {
    return std::make_unique<Server>(settings)->run();
  } catch (const std::runtime_error& error) {
    std::fprintf(stderr, "bench_upstream: %s\n", error.what());
    return 1;
  }
}

}  // namespace
}  // namespace tollgate::bench

int main(int argc, char** argv) { return tollgate::bench::run(argc, argv); }
