// Flights: calls that run right now and may be shared, by their cache key. The first of equal calls
// leads: it asks the provider and writes what comes into a log. Those that come while it runs
// follow: they read that log from its beginning, each at its own pace. Bounded in bytes. One object
// a process, any worker; a short lock for each call that the cache could not answer.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "policies/digest.hpp"
#include "policies/idempotency/reply_log.hpp"

namespace tollgate::cache {

using policies::ReplyLog;

class Flights {
 public:
  /// `bytes_max`: for all logs together; one may take an eighth.
  explicit Flights(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}
  Flights(const Flights&) = delete;
  Flights& operator=(const Flights&) = delete;

  class Lead;
  class Follower;
  /// What a call is to do: ask for the others too, read what another asks for, or neither.
  struct Seat {
    std::unique_ptr<Lead> lead;
    std::unique_ptr<Follower> follower;
  };
  /// Leads where no equal call runs. `request_id` is what followers know their leader by. One that
  /// must have a reply from after its own beginning (`fresh`) follows nobody.
  [[nodiscard]] Seat enter(const policies::Digest& key, std::string_view request_id, bool fresh);

  /// Changes whenever a call has stopped leading: what it brought may be in the cache since.
  [[nodiscard]] std::uint64_t ended() const { return ended_.load(std::memory_order_acquire); }

  struct Stats {
    std::uint64_t running = 0, followers = 0, bytes = 0;
  };
  [[nodiscard]] Stats stats() const;

 private:
  struct Flight {
    explicit Flight(Flights& flights) : owner(flights) {}
    ~Flight() { owner.bytes_.fetch_sub(bytes, std::memory_order_relaxed); }
    Flight(const Flight&) = delete;
    Flight& operator=(const Flight&) = delete;

    Flights& owner;
    policies::Digest key{};
    std::string leader;
    ReplyLog log;
    std::uint64_t bytes = 0;
    std::uint32_t followers = 0;
    bool open = true;                                 // found by its key
    std::shared_ptr<ReplyLog::Waiter> when_deserted;  // its leader's client has gone
  };
  void close(Flight& flight);
  bool grow(Flight& flight, std::uint64_t bytes) noexcept;

  const std::uint64_t bytes_max_;
  std::atomic<std::uint64_t> bytes_{0}, ended_{0};
  mutable std::mutex mutex_;  // guards the table and what of its flights is no log
  std::uint64_t followers_ = 0;
  std::unordered_map<policies::Digest, std::shared_ptr<Flight>, policies::DigestHash> flights_;
};

/// The call that asks. On its worker; dropped without `end` its followers know that it is lost.
class Flights::Lead final : private policies::LogRoom {
 public:
  Lead(Flights& flights, std::shared_ptr<Flight> flight)
      : flights_(flights), flight_(std::move(flight)) {}
  Lead(const Lead&) = delete;
  Lead& operator=(const Lead&) = delete;
  ~Lead();

  /// More of the reply. Where no room is left the rest is lost to the others.
  void append(const Pieces& frames);
  void append(std::string_view frame);
  /// Once; nobody can join from here on.
  void end(ReplyLog::State state, std::optional<Error> error = std::nullopt);
  /// Its client has gone. True: there are followers, and `when_deserted` is woken, on any thread,
  /// when the last of them goes. False: nobody wants it, and nobody can join any more.
  [[nodiscard]] bool hand_on(std::shared_ptr<ReplyLog::Waiter> when_deserted);
  /// Another replica asks: its call's id is what followers know their leader by from now on, and
  /// this call is one of them.
  [[nodiscard]] std::unique_ptr<Follower> step_back(std::string_view leader);

 private:
  bool take(std::uint64_t bytes) noexcept override { return flights_.grow(*flight_, bytes); }
  Flights& flights_;
  std::shared_ptr<Flight> flight_;
  bool ended_ = false;
};

/// A call that reads what another asked for. On its own worker.
class Flights::Follower {
 public:
  Follower(Flights& flights, std::shared_ptr<Flight> flight)
      : flights_(flights), flight_(std::move(flight)) {}
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;
  ~Follower();

  [[nodiscard]] std::shared_ptr<ReplyLog> log() const { return {flight_, &flight_->log}; }
  /// The id of the call that asks.
  [[nodiscard]] std::string leader() const;

 private:
  Flights& flights_;
  std::shared_ptr<Flight> flight_;
};

}  // namespace tollgate::cache
