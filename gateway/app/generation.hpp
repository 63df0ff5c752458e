// Generation: what a POST does once its head was accepted: read, decode, choose, admit, attempt,
// stream, settle, record. Every path through it ends in one settlement, one recorded outcome and at
// most one reply. One object a call, on the call's worker.
#pragma once
#include <memory>
#include <optional>

#include "gateway/app/cache_turn.hpp"
#include "gateway/app/continuation.hpp"
#include "gateway/app/gate.hpp"
#include "gateway/app/lead_call.hpp"
#include "gateway/app/queue_turn.hpp"
#include "gateway/app/race.hpp"
#include "gateway/app/run.hpp"
#include "gateway/wire/dialect.hpp"
#include "policies/cache/flights.hpp"
#include "policies/idempotency/replicas.hpp"
#include "policies/idempotency/table.hpp"
#include "policies/policy.hpp"
#include "policies/spending.hpp"
#include "routing/balance.hpp"
#include "routing/forwarder.hpp"

namespace tollgate::app {

class Generation {
 public:
  Generation(Services& services, Run& run, RequestBody& body, ReplyWriter& writer);

  /// Never throws.
  Awaitable<void> serve();

 private:
  // A frame that is part of its caller's stays for the whole stream.
  [[gnu::noinline]] Awaitable<Result<void>> answer();
  [[gnu::noinline]] Awaitable<Result<void>> prepare();
  Result<void> read_view(std::string_view bytes);
  Result<routing::Match> choose(std::string_view model);
  void run_under(const routing::Route& route);
  Awaitable<Result<void>> admit_somehow(const routing::Match& match);
  [[gnu::noinline]] Awaitable<Result<void>> admit(const routing::Match& match);
  Result<AttemptTarget> look_at(const routing::Match& match);
  Awaitable<Result<void>> reserve(const routing::Match& match);
  Result<void> shortened(const Result<bool>& admitted);
  Result<routing::Match> downgrade() const;
  Result<void> start_forwarder(const routing::Match& match);
  [[nodiscard]] routing::ChoiceFacts choice_facts(const routing::Route& route) const;
  [[nodiscard]] std::uint64_t tokens_in() const;
  [[nodiscard]] std::uint64_t tokens_out() const;
  [[nodiscard]] double price_at(const routing::ProviderEntry& provider,
                                std::string_view model) const;
  [[nodiscard]] policies::SpendingTerms terms(const routing::Route& route) const;
  [[nodiscard]] bool may_suit_another(const Error& why) const;
  [[gnu::noinline]] Awaitable<Result<void>> fall_back(Error why);
  Awaitable<Result<void>> fall_back_to(const routing::Match& match, bool longer);
  std::optional<routing::Match> next_fallback(const Error& why);
  [[nodiscard]] const std::vector<std::string>* fallbacks_for(const Error& why) const;
  [[nodiscard]] std::uint32_t attempts_left() const;
  bool joins_queue(const Error& why);
  void join_queue();
  [[gnu::noinline]] Awaitable<Result<routing::Step>> next_in_turn(SteadyTime until);
  [[nodiscard]] bool ask_cache(const routing::Match& match);
  [[gnu::noinline]] Awaitable<void> ask_shared_cache();
  Awaitable<void> look_there();
  [[gnu::noinline]] Awaitable<void> lead_for_replicas();
  void follow_replica(std::string owner, std::string_view leader);
  void sit_down(std::uint64_t ended_before);
  void note_cache();
  [[gnu::noinline]] Awaitable<Result<void>> admit_answered(const routing::Match& match);
  Awaitable<Result<void>> replay();
  Result<void> replay_at_once();
  [[gnu::noinline]] Awaitable<Result<void>> replay_paced();
  Result<void> take_down();
  void shorten_body();
  void restore_body();
  void read_again(std::string_view body);
  [[gnu::noinline]] Awaitable<void> keep_reply();
  void forget_reply();
  [[nodiscard]] cache::ReplyFacts reply_facts() const;
  void note_provider(const cache::ReplyFacts& facts);
  static Error not_stored();
  /// No provider is asked: with a stored or another call's reply, or with 504.
  [[nodiscard]] bool is_answered() const {
    return cache_ ? cache_->answers() || follows_ : run_.cache_wish.only_if_cached;
  }
  [[nodiscard]] bool hit() const { return cache_ && cache_->reply() != nullptr; }
  [[nodiscard]] const cache::ReplyFacts* given() const;
  void take_seat(std::uint64_t ended_before);
  [[gnu::noinline]] Awaitable<Result<bool>> share();
  [[gnu::noinline]] Awaitable<Result<policies::ReplyLog::State>> copy_events(
      std::shared_ptr<policies::ReplyLog> log);
  void tell_followers(Error why);
  void note_given(const std::optional<cache::ReplyFacts>& facts);
  [[gnu::noinline]] Awaitable<Result<bool>> ask_alone();
  void note_room();
  [[gnu::noinline]] Awaitable<Result<void>> run_instead();
  [[gnu::noinline]] Awaitable<Result<void>> admit_keyed(const routing::Match& match);
  Awaitable<Result<void>> enter();
  Result<void> enter_here();
  void note_source();
  [[gnu::noinline]] Awaitable<Result<void>> agree();
  Result<void> heed(policies::ReplicaKeys::Answer answer);
  [[gnu::noinline]] Awaitable<void> give_up_claim();
  [[gnu::noinline]] Awaitable<void> share_reply();
  [[gnu::noinline]] Awaitable<Result<bool>> follow();
  [[gnu::noinline]] Awaitable<Result<policies::ReplyLog::State>> copy_reply();
  [[nodiscard]] ReplyHead followed_head() const;
  void release_key(const Result<void>& how);
  void keep_head(const Error* error);
  void keep_last(const Result<void>& how);
  [[gnu::noinline]] Awaitable<Result<void>> pump();
  [[nodiscard]] bool passed_limit() const;
  Result<void> cut_at_limit();
  bool expect_continuation(const routing::Match& match);
  void note_text();
  Result<routing::Step> continue_stream(Error why);
  [[nodiscard]] bool may_continue(const Error& why) const;
  Result<void> continue_at(const routing::Target& target);
  std::optional<routing::Target> next_target();
  [[gnu::noinline]] Awaitable<Result<routing::Step>> next_hedged();
  [[gnu::noinline]] Awaitable<Result<routing::Step>> race();
  [[gnu::noinline]] Awaitable<void> stop_race();
  AbortSlot* expect_hedge(const routing::Route& route);
  bool begin_race();
  void note_first_token();
  Awaitable<Result<void>> on_silence();
  Awaitable<Result<void>> on_batch();
  Result<bool> take_batch();
  bool send_now();
  void note_sent(SteadyTime since);
  Awaitable<Result<void>> send_pieces();
  [[gnu::noinline]] Awaitable<void> finish(Result<void> how);
  Awaitable<void> send_last(const Result<void>& how);
  void release_request();
  void note_batch();
  void note_failure(const Error& error);
  void note_times();
  void record();
  [[nodiscard]] SteadyTime silence_until() const;
  [[nodiscard]] ReplyHead reply_head() const;
  [[nodiscard]] const std::vector<std::string>& dropped() const;
  void add_content_fields(ReplyHead& head) const;
  void add_reply_fields(ReplyHead& head) const;
  [[nodiscard]] bool streams() const;
  void begin_stream();
  [[nodiscard]] std::string reply_id() const;
  wire::ReplyEncoder& encoder();

  Services& services_;
  Run& run_;
  Call& call_;
  RequestBody& body_;
  ReplyWriter& writer_;
  const wire::Dialect& dialect_;

  std::optional<wire::RequestView> view_;
  const routing::Route* route_ = nullptr;  // that the call runs under
  const routing::Route* home_ = nullptr;   // that was asked for, or that a spent budget sent it to
  std::size_t fallbacks_tried_ = 0, longer_tried_ = 0;  // of home_'s lists
  std::optional<NanoUsd> at_most_;                      // after a downgrade: of what follows
  policies::Watches watches_;
  policies::Spending spending_;
  BookGate gate_;
  std::unique_ptr<HedgeTurn> hedge_;  // nullptr: one request at a time
  std::optional<routing::Forwarder> own_forwarder_;
  routing::Forwarder* forwarder_ = nullptr;  // own_forwarder_, or the second request that has won
  std::unique_ptr<QueueTurn> queue_turn_;    // nullptr: nothing is waited for
  bool queue_joined_ = false;                // under the present model
  std::unique_ptr<wire::ReplyEncoder> encoder_;
  std::unique_ptr<CacheTurn> cache_;                      // nullptr: there is no cache
  std::unique_ptr<LeadCall> leads_;                       // equal calls read what this one gets
  std::unique_ptr<cache::Flights::Follower> follows_;     // this call reads what an equal one gets
  std::optional<cache::ReplyFacts> given_;                // who answers that one
  std::optional<policies::IdempotencyTable::Lead> lead_;  // others read what this call writes
  std::unique_ptr<policies::ReplicaKeys::Claim> claim_;   // as do those of other replicas
  std::shared_ptr<policies::ReplyLog> source_;            // this call reads what another wrote
  bool joined_ = false;                                   // while that one ran
  std::unique_ptr<Continuation> continuation_;            // nullptr: a death is the stream's end
  Batch batch_;
  Pieces pieces_;
  bool again_ = false;     // a kept reply goes out as it once came
  bool begun_ = false;     // the head of a stream has been decided
  bool released_ = false;  // the request's bytes are gone
  SteadyTime last_write_{};
};

}  // namespace tollgate::app
