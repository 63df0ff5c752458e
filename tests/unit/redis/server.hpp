// Real redis-server processes for tests, on free ports of loopback, gone with their object (and
// with the test, should that be killed); and one worker's side to speak to them.
#pragma once
#include <doctest/doctest.h>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "gateway/net/asio_task.hpp"
#include "gateway/net/redis/client.hpp"

namespace tollgate::net::test {

using namespace std::chrono_literals;

/// A port nobody listens on now.
[[nodiscard]] std::uint16_t free_port();

class RedisServer {
 public:
  /// `options` as of redis-server's command line. Returns when it is ready.
  explicit RedisServer(std::vector<std::string> options = {});
  /// A sentinel that watches a master.
  RedisServer(const std::string& master, std::uint16_t master_port);
  ~RedisServer();
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] RedisEndpoint endpoint() const { return {"127.0.0.1", port_}; }
  /// Begins again, empty, at the same port.
  void start();
  void kill();
  void freeze();
  void thaw();
  /// Reads its log up to a line that holds `text`.
  void await_line(std::string_view text);

 private:
  [[nodiscard]] std::vector<std::string> command() const;
  void make_folder();
  std::uint16_t port_;
  std::filesystem::path folder_;
  std::string sentinel_file_;  // empty: an ordinary server
  std::vector<std::string> options_;
  int pid_ = -1, log_ = -1;
  std::string unread_;
};

/// One worker's loop with what the client stands on.
struct Worker {
  /// Runs `work` to its end; fails the test when that takes too long.
  void run(Awaitable<void> work);
  [[nodiscard]] RedisParts parts() {
    return {io, deadlines, resolver, tls,
            [this](std::string_view text) { warnings.emplace_back(text); }};
  }

  boost::asio::io_context io{1};
  Deadlines deadlines{io};
  Resolver resolver{io, ares_source(io)};
  TlsClientContexts tls;
  std::vector<std::string> warnings;
};

/// A client of a worker of its own.
class Asker {
 public:
  explicit Asker(RedisSettings settings);
  ~Asker();
  Asker(const Asker&) = delete;
  Asker& operator=(const Asker&) = delete;

  /// One command: its words by blanks; the first key decides where it goes.
  Awaitable<Result<RedisReply>> ask(std::string words);
  /// The same, run to its end.
  Result<RedisReply> now(std::string words);
  /// What a text or error reply says, or why there was none.
  std::string text(std::string words);
  /// Asks again until there is an answer.
  std::string text_at_last(std::string words);

  Worker worker;
  std::shared_ptr<RedisClient> client;
};

/// Settings with time limits that a busy machine keeps.
[[nodiscard]] RedisSettings patient(const RedisEndpoint& endpoint);
/// Runs a program to its end; true when its exit status is 0.
bool run_program(const std::vector<std::string>& command);

}  // namespace tollgate::net::test
