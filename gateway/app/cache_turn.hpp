// CacheTurn: what the cache has to do with one call. Looks for a stored reply once the model is
// known, takes down a new one while it passes, and keeps it when it ended well. Owned by the call,
// on its worker; absent where the configuration has no cache.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "config/config.hpp"
#include "gateway/core/frame_memory.hpp"
#include "policies/cache/eligible.hpp"
#include "policies/cache/extras.hpp"
#include "policies/cache/inputs.hpp"
#include "policies/cache/key_memo.hpp"
#include "policies/cache/memory.hpp"
#include "policies/cache/recorder.hpp"
#include "policies/cache/redis.hpp"
#include "policies/keys.hpp"
#include "routing/route_table.hpp"

namespace tollgate::app {

/// What a call brings to the cache; everything outlives its turn.
struct CacheQuestion {
  const policies::Tenant& tenant;
  const routing::Match& match;
  const wire::RequestView& view;
  cache::Wish wish;
  cache::KeyMemo* memo = nullptr;  ///< under the plan of the match; absent: it remembers nothing
};

class CacheTurn : public PerCall {
 public:
  /// Looks at once. `rules` and the stores outlive it. With `shared`, which stands in place of
  /// `store`, `look_there` is to be awaited next.
  CacheTurn(cache::MemoryCache& store, const config::CacheConfig& rules,
            const CacheQuestion& question, SteadyTime now, cache::RedisCache* shared = nullptr);

  /// `hit`, `miss`, `refresh` or `bypass`.
  [[nodiscard]] std::string_view result() const;
  /// The call ends here: with a stored reply, or with 504 where the client wants nothing else.
  [[nodiscard]] bool answers() const { return reply_ || wish_.only_if_cached; }
  /// nullptr: nothing is stored that it may have.
  [[nodiscard]] const cache::StoredReply* reply() const { return reply_ ? &*reply_ : nullptr; }
  /// The reply had been relayed in the form that this call wants: it can be relayed again.
  [[nodiscard]] bool relays() const;
  /// Adds it as it came, under a new identity, to `out`, which holds `block()`. False: it cannot be
  /// read that way.
  bool relay(const cache::Identity& identity, Batch& out) const;
  /// What the reply's views point into.
  [[nodiscard]] const std::shared_ptr<Block>& block() const { return block_; }
  [[nodiscard]] std::chrono::seconds age() const { return age_; }
  /// Of what it looks for; only where `records()` was true once.
  [[nodiscard]] const cache::Digest& key() const { return key_; }
  /// Another call may have left its reply meanwhile; else the reply to come is taken down.
  void look_again(SteadyTime now);
  /// What the reply that passes called its model; empty: it has not.
  [[nodiscard]] std::string model() const;
  /// True while the reply that passes may be kept: its events are wanted whole.
  [[nodiscard]] bool records() const { return recorder_ || fills_; }
  /// Of an embeddings call; nullptr: of another.
  [[nodiscard]] const cache::Inputs* inputs() const { return inputs_.get(); }
  /// Where some of the inputs are stored: the request for the others, which stays here. `view` is
  /// the client's. Empty: all are asked for.
  [[nodiscard]] std::string_view shorten(const wire::RequestView& view);
  /// The client's own request, once, after it was shortened. Empty: it was not.
  [[nodiscard]] std::string_view whole_body() { return std::exchange(whole_body_, {}); }

  /// The provider's next batch, `relayed` to the client as it came or not; stored vectors are put
  /// into it. Error: it is not what was asked for.
  Result<void> take(Batch& batch, bool relayed) {
    if (fills_) return inputs_->take(batch);
    if (extras_ && relayed) extras_->take(batch);
    if (recorder_) recorder_->take(batch, relayed);
    return {};
  }
  /// What the provider said in the batch that was taken last and the events do not.
  [[nodiscard]] std::span<const StreamEvent> extras() const {
    return extras_ ? extras_->fresh() : std::span<const StreamEvent>{};
  }
  /// The reply is not what was asked for (another model, a cut): it is not kept.
  void forget() {
    recorder_.reset();
    extras_.reset();
    fills_ = false;
  }
  /// The reply has ended.
  void keep(const cache::ReplyFacts& facts, SteadyTime now);

  // ---- with a shared store
  /// Looks there; a store that does not answer is a bypass.
  Awaitable<void> look_there(const cache::Envelope& envelope, SystemTime now);
  /// True: what `keep` was given waits for `store_there`.
  [[nodiscard]] bool has_kept() const { return !kept_.empty(); }
  Awaitable<void> store_there(const cache::Envelope& envelope);
  [[nodiscard]] bool asks_there() const { return shared_ != nullptr; }
  /// Replicas may wait there for each other's reply. False: vectors, which stand there one by one.
  [[nodiscard]] bool waits_there() const { return asks_there() && !inputs_; }
  /// Something is there that does not do: damaged, or older than the call allows.
  [[nodiscard]] bool unfit() const { return unfit_; }
  /// The key there.
  [[nodiscard]] std::string entry() const { return shared_->name_of(place()); }

 private:
  void begin_to_keep();
  void look(SteadyTime now);
  void look_for_inputs(SteadyTime now);
  void take_inputs(SteadyTime now);
  Awaitable<bool> look_for_reply(const cache::Envelope& envelope, SystemTime now);
  Awaitable<bool> look_for_vectors(const cache::Envelope& envelope, SystemTime now);
  /// How long something has been there. nullopt: longer than the call allows.
  [[nodiscard]] std::optional<SystemTime::duration> age_of(SystemTime stored_at,
                                                           SystemTime now) const;
  void take_found(std::string_view bytes, std::chrono::seconds age);
  [[nodiscard]] cache::RedisPlace place() const;

  cache::MemoryCache& store_;
  std::uint64_t purges_ = 0;
  SystemTime began_{};
  const config::CacheConfig& rules_;
  cache::Wish wish_;
  const policies::Tenant& tenant_;
  std::string_view model_;
  bool stream_;
  cache::Digest key_{};
  bool eligible_ = false, unfit_ = false;
  std::shared_ptr<Block> block_;
  std::optional<cache::StoredReply> reply_;
  std::chrono::seconds age_{0};
  std::optional<cache::ReplyRecorder> recorder_;
  std::optional<cache::RelayedExtras> extras_;
  std::unique_ptr<cache::Inputs> inputs_;
  bool fills_ = false;  // the inputs' vectors are on their way
  std::string short_body_;
  std::string_view whole_body_;
  cache::RedisCache* shared_;
  std::vector<cache::RedisEntry> kept_;
};

}  // namespace tollgate::app
