// SharedFlights: which calls run right now for replies that other replicas may want too. The first
// replica to ask holds a lease in Redis and calls; the others wait for the entry in the cache. One
// object a worker, over the connection of its RedisCache; its thread. What Redis does not answer in
// time is an error that the call passes by: it then leads in its own process alone.
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/error.hpp"
#include "policies/cache/envelope.hpp"
#include "policies/store/redis_leases.hpp"
#include "policies/store/redis_port.hpp"

namespace tollgate::cache {

struct FlightScripts {
  FlightScripts();
  policies::RedisScript claim, renew, end, leave;
};

/// What the workers have in common; made once a process.
struct FlightTerms {
  std::string prefix = "tollgate";
  std::chrono::milliseconds lease{10'000};
  FlightScripts scripts{};
  /// Since the start: calls that lead for all replicas; that wait for another one's, and of those
  /// how many were given its reply, its error, or neither; questions without an answer.
  std::atomic<std::uint64_t> led{0}, waited{0}, given{0}, refused{0}, lost{0}, away{0};
};

class SharedFlights {
 public:
  class Lease;
  enum class Word : std::uint8_t {
    granted,  ///< call, and keep the reply in the cache
    running,  ///< another replica does: `owner`, `leader`
    stored    ///< there is an entry by now
  };
  struct Answer {
    Word word = Word::granted;
    std::unique_ptr<Lease> lease{};
    std::string owner{}, leader{};
  };
  enum class State : std::uint8_t { running, done, failed, lost };
  struct Ending {
    State state = State::lost;
    std::optional<Error> error{};  ///< what all who wait are to be told
  };

  /// Both outlive it.
  SharedFlights(policies::RedisPort& port, FlightTerms& terms) : port_(port), terms_(terms) {}
  SharedFlights(const SharedFlights&) = delete;
  SharedFlights& operator=(const SharedFlights&) = delete;

  /// `entry`: the reply's key in Redis; `leader`: the call's id; `anew`: one that is there does not
  /// do. Who is told `running` says `leave` when it waits no longer. Error: store_unavailable.
  Awaitable<Result<Answer>> claim(std::string entry, std::string leader, bool anew);
  /// How the call of that owner is getting on. `envelope` outlives it. Error: store_unavailable.
  Awaitable<Result<Ending>> look(std::string entry, std::string owner, const Envelope& envelope);
  /// Nobody waits here any more.
  void leave(std::string entry, std::string owner);
  /// Every third of a lease: those of the calls that run here go on.
  void renew() { held_.renew(port_, terms_.scripts.renew, terms_.lease); }

  [[nodiscard]] FlightTerms& terms() const { return terms_; }

 private:
  [[nodiscard]] std::string name_of(std::string_view entry) const;
  Result<policies::RedisReply> said(Result<policies::RedisReply> reply);
  Awaitable<void> run(const policies::RedisScript& script, std::string name,
                      std::vector<std::string> args);

  policies::RedisPort& port_;
  FlightTerms& terms_;
  policies::RedisLeases held_;
};

/// A call of this worker that other replicas may wait for. Dropped without `end`: its lease runs
/// out, and then they call on their own.
class SharedFlights::Lease {
 public:
  /// Without waiting for Redis, and the first time only: the reply is in the cache, if it is one to
  /// be kept.
  void done() { end("done", {}); }
  /// As `done`: there is none. Where `for_all` is given, whoever waits is told the same.
  void fail(const Error* for_all, const Envelope& envelope);
  /// Whether another replica waits for the reply. Where Redis does not say: nobody.
  Awaitable<bool> is_awaited();

 private:
  friend SharedFlights;
  Lease(SharedFlights& flights, std::string name, std::string owner);
  void end(std::string said, std::string error);

  SharedFlights& flights_;
  policies::RedisLease held_;
};

}  // namespace tollgate::cache
