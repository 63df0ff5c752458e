// The part of a call that goes on under another model of the file: when every target of its own has
// failed, or when the prompt does not fit.
#include "gateway/app/generation.hpp"

namespace tollgate::app {

/// What the file names for this failure, unless another model cannot help.
const std::vector<std::string>* Generation::fallbacks_for(const Error& why) const {
  if (call_.deserted || call_.abort.aborted() || (forwarder_ && forwarder_->shown()))
    return nullptr;
  if (continuation_ && continuation_->begun()) return nullptr;
  if (why.kind == ErrorKind::context_length) {
    return home_->context_window_fallback.empty() ? nullptr : &home_->context_window_fallback;
  }
  const bool may_help = why.retry != Retry::never || why.kind == ErrorKind::no_healthy_target;
  return may_help && !home_->fallback.empty() ? &home_->fallback : nullptr;
}

std::uint32_t Generation::attempts_left() const {
  const std::size_t made = call_.outcome.attempts.size();
  return made < home_->attempts_max ? home_->attempts_max - static_cast<std::uint32_t>(made) : 0;
}

/// The next of the list for `why` that the key may use and that has a provider.
std::optional<routing::Match> Generation::next_fallback(const Error& why) {
  const auto* names = fallbacks_for(why);
  if (names == nullptr || attempts_left() == 0) return std::nullopt;
  if (std::chrono::steady_clock::now() >= call_.deadline) return std::nullopt;
  std::size_t& tried = names == &home_->fallback ? fallbacks_tried_ : longer_tried_;
  while (tried < names->size()) {
    const std::string& name = (*names)[tried++];
    if (!policies::may_use(*run_.key, name)) continue;
    const auto match = run_.plan->routes.find(name);
    if (match && match->route != route_) return match;
  }
  return std::nullopt;
}

/// Sees that an attempt under another model may begin. Error: none may; what the client is told.
Awaitable<Result<void>> Generation::fall_back(Error why) {
  const bool longer = why.kind == ErrorKind::context_length;
  const routing::Route* from = route_;
  while (const auto match = next_fallback(why)) {
    auto ready = co_await fall_back_to(*match, longer);
    if (ready) {
      services_.shared.metrics.count_fallback(home_->name, route_->name);
      co_return ready;
    }
    if (call_.abort.aborted()) co_return std::unexpected(call_.abort.reason());
  }
  // Whatever kept the others from being asked, this is what stands between the client and a reply.
  run_under(*from);
  co_return std::unexpected(std::move(why));
}

Awaitable<Result<void>> Generation::fall_back_to(const routing::Match& match, bool longer) {
  const policies::GoingOn how{.window_above = longer ? spending_.window() : 0, .at_most = at_most_};
  if (cache_) forget_reply();
  // From the client's own fields again: another model has other defaults.
  auto read = read_view(view_->body);
  if (!read) co_return read;
  run_under(*match.route);
  if (!spending_.admitted()) co_return co_await reserve(match);
  auto target = look_at(match);
  if (!target) co_return std::unexpected(target.error());
  co_return co_await spending_.go_on(*target, how);
}

/// A request that no target of its model can take may suit another model.
bool Generation::may_suit_another(const Error& why) const {
  const bool previewed = forwarder_ && forwarder_->previewed();
  return !previewed && fallbacks_for(why) != nullptr;
}

}  // namespace tollgate::app
