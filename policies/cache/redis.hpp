// RedisCache: kept replies in Redis, shared by all gateways that use the same one: compressed,
// sealed (Envelope), each with a time to live. One object a worker over a port of its own, so that
// large replies hold up no reservation; its thread. What Redis does not answer in time is an error
// that the call passes by.
#pragma once
#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gateway/core/clock.hpp"
#include "policies/cache/envelope.hpp"
#include "policies/cache/memory.hpp"
#include "policies/store/redis_port.hpp"

namespace tollgate::cache {

/// What the workers have in common; made once a process.
struct RedisCacheShared {
  std::string prefix = "tollgate";
  bool cluster = false;
  const Clock& clock;
  /// Since the start: questions that Redis did not answer, and entries that did not open.
  std::atomic<std::uint64_t> errors{0}, unreadable{0};
  std::atomic<bool> away{false};
};

/// Where an entry stands. Tenants that share have no name here.
struct RedisPlace {
  std::string_view tenant, model;
  Digest key{};
};

struct RedisFound {
  std::string bytes;
  SystemTime stored_at{};
};

/// An entry to be kept.
struct RedisEntry {
  Digest key{};
  std::string bytes;
};

class RedisCache {
 public:
  /// Both outlive it.
  RedisCache(policies::RedisPort& port, RedisCacheShared& shared) : port_(port), shared_(shared) {}

  /// The entry of that key, or nothing where there is none. One that does not open has no bytes.
  /// Error: store_unavailable.
  Awaitable<Result<std::optional<RedisFound>>> find(std::string name, const Envelope& envelope,
                                                    std::size_t bytes_max);
  /// `find` of several keys of one place, in one round trip; in order.
  using FoundAll = std::vector<std::optional<RedisFound>>;
  Awaitable<Result<FoundAll>> find_all(RedisPlace place, std::span<const Digest> keys,
                                       const Envelope& envelope, std::size_t bytes_max);
  /// Keeps entries of one place for `ttl` less up to a tenth, unless they were purged since
  /// `began`, when the call that brings them asked for them; in two round trips. Error:
  /// store_unavailable.
  struct Keeping {
    std::chrono::milliseconds ttl{};
    SystemTime began{};
  };
  Awaitable<Result<void>> put(RedisPlace place, std::span<const RedisEntry> entries,
                              const Envelope& envelope, Keeping how);
  /// Removes a tenant's entries (of one that shares: all that are shared), a model's, those of
  /// both, or all. Returns how many went. Error: store_unavailable; some may have gone.
  struct Which {
    std::string tenant, model;  ///< empty: all
    bool tenant_shares = false;
  };
  /// Calls that have begun, at any gateway, leave none of these any more; as exactly as the clocks
  /// of gateways agree.
  Awaitable<Result<std::uint64_t>> purge(Which which);

  /// The key that the entry stands under.
  [[nodiscard]] std::string name_of(const RedisPlace& place) const;

 private:
  void judge(Result<policies::RedisReply>& reply);
  [[nodiscard]] std::optional<RedisFound> opened(std::string_view name,
                                                 const policies::RedisReply& reply,
                                                 const Envelope& envelope, std::size_t bytes_max);
  Awaitable<Result<policies::RedisReply>> ask(std::string_view slot_key,
                                              std::span<const std::string_view> args);
  [[nodiscard]] std::string purges_name() const;
  Awaitable<Result<void>> note_purge(const std::string& tenant, const std::string& model);
  Awaitable<Result<bool>> was_purged(const RedisPlace& place, SystemTime began);
  Awaitable<Result<std::uint64_t>> purge_node(std::string_view slot_key, std::string_view pattern);
  Awaitable<Result<std::uint64_t>> unlink(std::string_view slot_key,
                                          const std::vector<policies::RedisReply>& names);

  policies::RedisPort& port_;
  RedisCacheShared& shared_;
};

}  // namespace tollgate::cache
