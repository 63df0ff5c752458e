// ReplicaKeys: what gateways that share a Redis know together of calls with an Idempotency-Key: who
// runs one, under a lease that is renewed while it runs, and its reply once it is done. Asked when
// this process knows nothing of a key. One object a worker over a port of its own; its thread.
#pragma once
#include <atomic>
#include <memory>
#include <string>

#include "config/config.hpp"
#include "policies/cache/envelope.hpp"
#include "policies/digest.hpp"
#include "policies/idempotency/reply_log.hpp"
#include "policies/store/redis_leases.hpp"
#include "policies/store/redis_port.hpp"

namespace tollgate::policies {

struct ReplicaScripts {
  ReplicaScripts();
  RedisScript claim, renew, finish;
};

/// What the workers have in common; made once a process.
struct ReplicaShared {
  std::string prefix = "tollgate";
  std::chrono::milliseconds lease{60'000};
  config::OnStoreError on_error = config::OnStoreError::deny;
  ReplicaScripts scripts{};
  /// Since the start, by what Redis said; `away`: it said nothing.
  std::atomic<std::uint64_t> granted{0}, joined{0}, replayed{0}, reused{0}, unknown{0}, away{0};
};

/// What is to be known of a key to ask about it.
struct ReplicaKey {
  Digest id{}, fingerprint{};
};

class ReplicaKeys {
 public:
  class Claim;
  enum class Word : std::uint8_t {
    granted,  ///< run it
    running,  ///< another replica does
    done,     ///< here is the reply
    reused,   ///< the key was used with another body
    unknown,  ///< its owner is gone, or its reply is lost or does not open
    free      ///< of `look`: nobody runs it
  };
  struct Answer {
    Word word = Word::unknown;
    std::unique_ptr<Claim> claim{};
    std::shared_ptr<ReplyLog> log{};
  };

  /// Both outlive it.
  ReplicaKeys(RedisPort& port, ReplicaShared& shared) : port_(port), shared_(shared) {}
  ReplicaKeys(const ReplicaKeys&) = delete;
  ReplicaKeys& operator=(const ReplicaKeys&) = delete;

  /// Takes the key for a call that is about to run, or tells why it need not or may not. `ttl`: how
  /// long it will be known. Error: store_unavailable.
  Awaitable<Result<Answer>> claim(ReplicaKey key, std::chrono::milliseconds ttl,
                                  const cache::Envelope& envelope);
  /// Whether its call still runs elsewhere; takes nothing, brings no reply. Error: as `claim`.
  Awaitable<Result<Word>> look(ReplicaKey key);
  /// Every third of a lease: those of the calls that run here go on.
  void renew() { running_.renew(port_, shared_.scripts.renew, shared_.lease); }

  [[nodiscard]] const ReplicaShared& shared() const { return shared_; }

 private:
  Awaitable<Result<RedisReply>> ask(const RedisScript& script, const std::string& name,
                                    std::span<const std::string_view> args);
  Answer answer_of(const RedisReply& reply, const std::string& name,
                   const cache::Envelope& envelope);
  void count(Word word);
  [[nodiscard]] std::string name_of(const Digest& id) const;
  Awaitable<void> take_back(std::string name, std::string owner);

  RedisPort& port_;
  ReplicaShared& shared_;
  RedisLeases running_;
};

/// A key that a call of this worker runs under. Dropped without `finish`: its lease runs out, and
/// then nobody knows what became of it.
class ReplicaKeys::Claim {
 public:
  /// The reply, or that it is lost, for the replicas to find for `ttl`. Where Redis does not take
  /// it, they will not know what became of the call.
  Awaitable<void> finish(const ReplyLog& log, std::chrono::milliseconds ttl,
                         const cache::Envelope& envelope);
  /// Nothing was spent: the key is free again.
  Awaitable<void> give_back();
  /// Something was, but there is no reply.
  Awaitable<void> lose(std::chrono::milliseconds ttl);

 private:
  friend ReplicaKeys;
  Claim(ReplicaKeys& keys, std::string name, std::string owner);
  Awaitable<void> say(std::string_view state, std::chrono::milliseconds ttl,
                      std::string_view reply);

  ReplicaKeys& keys_;
  RedisLease held_;
};

}  // namespace tollgate::policies
