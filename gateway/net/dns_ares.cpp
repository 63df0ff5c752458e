#include <algorithm>
#include <ares.h>
#include <arpa/inet.h>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstring>
#include <netinet/in.h>

#include "gateway/net/dns.hpp"

namespace tollgate::net {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

struct Question {
  std::function<void(DnsAnswer)> done;
};

asio::ip::address to_address(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, address, sizeof v4);
    return asio::ip::address_v4(ntohl(v4.sin_addr.s_addr));
  }
  sockaddr_in6 v6{};
  std::memcpy(&v6, address, sizeof v6);
  asio::ip::address_v6::bytes_type bytes;
  std::memcpy(bytes.data(), v6.sin6_addr.s6_addr, bytes.size());
  return asio::ip::address_v6(bytes, v6.sin6_scope_id);
}

DnsAnswer to_answer(int status, const ares_addrinfo* found) {
  DnsAnswer answer;
  if (status != ARES_SUCCESS) {
    answer.failure = ares_strerror(status);
    return answer;
  }
  int ttl = 300;
  for (const ares_addrinfo_node* node = found->nodes; node != nullptr; node = node->ai_next) {
    answer.addresses.push_back(to_address(node->ai_addr));
    ttl = std::min(ttl, node->ai_ttl);
  }
  answer.ttl = std::chrono::seconds(std::max(ttl, 0));
  return answer;
}

void answered(void* argument, int status, int, ares_addrinfo* found) {
  const std::unique_ptr<Question> question(static_cast<Question*>(argument));
  if (status != ARES_EDESTRUCTION) question->done(to_answer(status, found));
  if (found != nullptr) ares_freeaddrinfo(found);
}

/// c-ares owns the sockets; the descriptors only watch them.
struct Watched {
  explicit Watched(asio::io_context& io, int fd) : descriptor(io, fd) {}
  ~Watched() { descriptor.release(); }
  asio::posix::stream_descriptor descriptor;
  bool want_read = false, want_write = false;
  bool reading = false, writing = false;
};

/// The channel and what its handlers need; they hold it weakly, since it may go before they run.
class Channel : public std::enable_shared_from_this<Channel> {
 public:
  explicit Channel(asio::io_context& io) : io_(io), timer_(io) {}
  ~Channel() {
    if (channel_ != nullptr) ares_destroy(channel_);
  }
  bool open();
  void ask(const std::string& host, std::function<void(DnsAnswer)> done);

 private:
  static void state_changed(void* self, ares_socket_t fd, int readable, int writable) {
    static_cast<Channel*>(self)->watch(fd, readable != 0, writable != 0);
  }
  void watch(int fd, bool read, bool write);
  void arm(const std::shared_ptr<Watched>& watched, int fd);
  void process(ares_socket_t read, ares_socket_t write);
  void schedule();

  asio::io_context& io_;
  asio::steady_timer timer_;
  std::unordered_map<int, std::shared_ptr<Watched>> watched_;
  ares_channel channel_ = nullptr;
};

bool Channel::open() {
  static const int initialised = ares_library_init(ARES_LIB_INIT_ALL);
  if (initialised != ARES_SUCCESS) return false;
  ares_options options{};
  options.sock_state_cb = &Channel::state_changed;
  options.sock_state_cb_data = this;
  options.timeout = 1000;  // milliseconds for the first try; a lost packet must not cost a connect
  options.tries = 2;
  const int mask = ARES_OPT_SOCK_STATE_CB | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES;
  return ares_init_options(&channel_, &options, mask) == ARES_SUCCESS;
}

void Channel::ask(const std::string& host, std::function<void(DnsAnswer)> done) {
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  auto question = std::make_unique<Question>(std::move(done));
  ares_getaddrinfo(channel_, host.c_str(), nullptr, &hints, &answered, question.release());
  schedule();
}

void Channel::watch(int fd, bool read, bool write) {
  if (!read && !write) {
    watched_.erase(fd);
    return;
  }
  std::shared_ptr<Watched>& watched = watched_[fd];
  if (!watched) watched = std::make_shared<Watched>(io_, fd);
  watched->want_read = read;
  watched->want_write = write;
  arm(watched, fd);
}

void Channel::arm(const std::shared_ptr<Watched>& watched, int fd) {
  using Wait = asio::posix::stream_descriptor;
  const std::weak_ptr<Channel> self = weak_from_this();
  const std::weak_ptr<Watched> weak = watched;
  if (watched->want_read && !watched->reading) {
    watched->reading = true;
    watched->descriptor.async_wait(Wait::wait_read, [self, weak, fd](error_code failed) {
      const auto channel = self.lock();
      const auto still = weak.lock();
      if (failed || !channel || !still) return;
      still->reading = false;
      channel->process(fd, ARES_SOCKET_BAD);
      if (channel->watched_.contains(fd)) channel->arm(channel->watched_[fd], fd);
    });
  }
  if (watched->want_write && !watched->writing) {
    watched->writing = true;
    watched->descriptor.async_wait(Wait::wait_write, [self, weak, fd](error_code failed) {
      const auto channel = self.lock();
      const auto still = weak.lock();
      if (failed || !channel || !still) return;
      still->writing = false;
      channel->process(ARES_SOCKET_BAD, fd);
      if (channel->watched_.contains(fd)) channel->arm(channel->watched_[fd], fd);
    });
  }
}

void Channel::process(ares_socket_t read, ares_socket_t write) {
  ares_process_fd(channel_, read, write);
  schedule();
}

/// c-ares wants to be called when its next query times out.
void Channel::schedule() {
  timeval wait{};
  if (ares_timeout(channel_, nullptr, &wait) == nullptr) {
    timer_.cancel();
    return;
  }
  timer_.expires_after(std::chrono::seconds(wait.tv_sec) + std::chrono::microseconds(wait.tv_usec) +
                       std::chrono::milliseconds(1));
  timer_.async_wait([self = weak_from_this()](error_code failed) {
    const auto channel = self.lock();
    if (!failed && channel) channel->process(ARES_SOCKET_BAD, ARES_SOCKET_BAD);
  });
}

class AresSource final : public DnsSource {
 public:
  explicit AresSource(asio::io_context& io) : channel_(std::make_shared<Channel>(io)) {
    if (!channel_->open()) channel_.reset();
  }
  void ask(const std::string& host, std::function<void(DnsAnswer)> done) override {
    if (channel_) return channel_->ask(host, std::move(done));
    done({{}, {}, "c-ares cannot be set up"});
  }

 private:
  std::shared_ptr<Channel> channel_;
};

}  // namespace

std::unique_ptr<DnsSource> ares_source(asio::io_context& io) {
  return std::make_unique<AresSource>(io);
}

}  // namespace tollgate::net
