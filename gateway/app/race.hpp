// Race: two requests of one call under way at the same time, until one of them brings content.
// Each runs in a chain of its own with an abort slot of its own; the call waits for both. Owned by
// the call, on its worker; made only for models that hedge.
#pragma once
#include <array>
#include <optional>
#include <string_view>

#include "gateway/core/call.hpp"
#include "gateway/core/frame_memory.hpp"
#include "gateway/core/signal.hpp"
#include "routing/forwarder.hpp"
#include "routing/route_table.hpp"

namespace tollgate::app {

/// What the books say of the request that lost.
inline constexpr std::string_view hedge_lost = "hedge_lost";

class Race final : public Abortable {
 public:
  explicit Race(Call& call) : call_(call) {}

  /// What ends the waits of that one's forwarder (0 or 1) alone.
  [[nodiscard]] AbortSlot& slot(std::size_t lane) { return lanes_[lane].slot; }
  /// Both are told when the call is to end.
  void abort() noexcept override;

  /// Both wait for content, from now on.
  void begin(routing::Forwarder& first, routing::Forwarder& second);
  /// What comes first: the first batch (or all of a whole reply) of one, which has won; or
  /// `timeout` when `until` passes (call again). Error: both have failed; the first one's.
  Awaitable<Result<routing::Step>> next(Batch& out, SteadyTime until);
  /// 0 or 1, once there is one.
  [[nodiscard]] std::optional<std::size_t> winner() const { return winner_; }
  /// How the second one failed; only where both did.
  [[nodiscard]] const Error& second_error() const { return lanes_[1].result->error(); }
  /// Ends both; they have settled when this returns.
  Awaitable<void> stop(const Error& why);
  /// Ends the other one, at once; it has settled when this returns.
  Awaitable<void> cancel_loser();

 private:
  struct Lane {
    routing::Forwarder* forwarder = nullptr;
    AbortSlot slot;
    Batch batch;
    bool running = false;
    std::optional<Result<routing::Step>> result;
    [[nodiscard]] bool failed() const { return result && !*result; }
  };

  void run(Lane& lane, SteadyTime until);
  [[nodiscard]] bool decided() const;

  Call& call_;
  std::array<Lane, 2> lanes_;
  Signal changed_;
  std::optional<std::size_t> winner_;
};

/// What a call of a hedging model keeps for its second request.
struct HedgeTurn : PerCall {
  HedgeTurn(Call& call, routing::Hedging& of_model, const routing::Route& home)
      : rules(of_model), route(home), race(call) {}

  routing::Hedging& rules;
  const routing::Route& route;  ///< of the model that hedges
  SteadyTime began{};
  SteadyTime at = never;  ///< when the second target is asked
  Race race;
  std::optional<routing::Forwarder> rival;
  bool racing = false;
};

}  // namespace tollgate::app
