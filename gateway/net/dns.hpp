// Resolver: names to addresses for one worker, asynchronously: numeric hosts bypass it, answers are
// kept for their TTL, many waiters share one query and each gives up alone. Asio's own resolver is
// one thread that a hanging name blocks, at shutdown too. The connector asks it.
#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "gateway/core/front.hpp"
#include "gateway/net/patience.hpp"

namespace tollgate::net {

using Addresses = std::vector<boost::asio::ip::address>;

struct DnsAnswer {
  Addresses addresses;  ///< in the order to try; empty: `failure` says why
  std::chrono::seconds ttl{0};
  std::string failure;
};

/// Who really asks: c-ares, or a script in tests.
struct DnsSource {
  virtual ~DnsSource() = default;
  /// Asks for `host`; calls `done` once, at once or later on the worker's thread, unless the source
  /// is destroyed before.
  virtual void ask(const std::string& host, std::function<void(DnsAnswer)> done) = 0;
};

/// c-ares on `io`: /etc/hosts, /etc/resolv.conf with its search list, IPv4 and IPv6.
[[nodiscard]] std::unique_ptr<DnsSource> ares_source(boost::asio::io_context& io);

class Resolver {
 public:
  Resolver(boost::asio::io_context& io, std::unique_ptr<DnsSource> source);

  /// Addresses of `host`, never empty. Errors: a plain sentence for the log, or empty when
  /// `patience` was over first.
  Awaitable<std::expected<Addresses, std::string>> resolve(std::string host, Patience& patience);

  /// No answer comes any more; who still waits gives up by his own time.
  void stop() { source_.reset(); }

 private:
  struct Name {
    Addresses addresses;
    std::string failure;
    SteadyTime ask_again{};    // not before
    SteadyTime fresh_until{};  // by the TTL of the last good answer
    bool asking = false;
    std::list<boost::asio::steady_timer*> waiters;
  };
  static void take(Name& name, const DnsAnswer& answer);
  static bool usable(const Name& name);
  std::shared_ptr<Name> name_of(const std::string& host);
  void ask(const std::string& host, const std::shared_ptr<Name>& name);

  boost::asio::io_context& io_;
  std::unordered_map<std::string, std::shared_ptr<Name>> names_;
  std::unique_ptr<DnsSource> source_;  // last: destroyed first, so that no answer comes too late
};

}  // namespace tollgate::net
