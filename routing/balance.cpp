#include "routing/balance.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "routing/health_registry.hpp"
#include "routing/stir.hpp"

namespace tollgate::routing {
namespace {

struct Candidate {
  std::size_t index = 0;  // in the route's targets
  std::shared_ptr<TargetHealth> health;
  double rank = 0;    // the least comes first
  bool late = false;  // there for a need only
};
using Candidates = std::vector<Candidate>;

std::shared_ptr<TargetHealth> health_of(const Match& match, std::size_t index) {
  const Route& route = *match.route;
  if (index < route.wild.size() && route.wild[index]) return route.wild[index]->of(match.rest);
  return route.targets[index].health;
}

/// The soonest end; limits are the reason only where nothing else is.
void note_rest(Availability& soonest, const Availability& rest) {
  const bool first = soonest.usable();
  soonest.rest = first ? rest.rest : std::max(soonest.rest, rest.rest);
  soonest.until = first ? rest.until : std::min(soonest.until, rest.until);
}

/// `full`: takes those at their limits too.
Candidates usable(const Match& match, const ChoiceFacts& facts, bool full, Availability& rest) {
  Candidates candidates;
  const auto& targets = match.route->targets;
  candidates.reserve(targets.size());
  for (std::size_t i = 0; i < targets.size(); ++i) {
    Candidate candidate{.index = i, .health = health_of(match, i)};
    if (candidate.health) {
      const bool own = own_key(facts.own_keys, targets[i].provider->name) != nullptr;
      const Availability seen = own ? candidate.health->breaker(facts.now)
                                    : candidate.health->look(facts.now, facts.tokens);
      if (!seen.usable() && !(full && seen.rest == Rest::limited)) {
        note_rest(rest, seen);
        continue;
      }
      const std::uint64_t lot = stir((facts.affinity != 0 ? facts.affinity : facts.random) + i);
      candidate.late = !candidate.health->takes(lot & 1023U, facts.now) ||
                       (!own && candidate.health->spared(facts.now));
    }
    candidates.push_back(std::move(candidate));
  }
  return candidates;
}

void put_first(Candidates& candidates, std::size_t at) {
  std::rotate(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(at),
              candidates.end());
}

/// A sequence whose every stretch is spread evenly: turn by turn by the golden ratio.
std::size_t spread(const Candidates& candidates, const std::vector<Target>& targets,
                   std::uint64_t turn) {
  std::uint64_t sum = 0;
  for (const Candidate& candidate : candidates)
    sum += targets[candidate.index].weight;
  const std::uint64_t place = turn * stir_step;
  auto left = static_cast<std::uint64_t>(static_cast<double>(place >> 11U) * 0x1p-53 *
                                         static_cast<double>(sum));
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const std::uint64_t weight = targets[candidates[i].index].weight;
    if (left < weight) return i;
    left -= weight;
  }
  return candidates.size() - 1;
}

void by_weight(Candidates& candidates, const Route& route) {
  const std::uint64_t turn = route.turn.fetch_add(1, std::memory_order_relaxed);
  if (!route.cycle.empty()) {
    const std::size_t due = route.cycle[turn % route.cycle.size()];
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      if (candidates[i].index == due) return put_first(candidates, i);
    }
  }
  put_first(candidates, spread(candidates, route.targets, turn));
}

/// Equal ones keep their order. By hand: these are a handful, and nothing is allocated.
void sort_by_rank(Candidates& candidates) {
  for (std::size_t i = 1; i < candidates.size(); ++i) {
    for (std::size_t j = i; j > 0 && candidates[j].rank < candidates[j - 1].rank; --j)
      std::swap(candidates[j], candidates[j - 1]);
  }
}

/// Without a health there is nothing to tell targets apart by.
double in_flight(const Candidate& candidate) {
  return candidate.health ? candidate.health->in_flight() : 0;
}

/// Two of many by lot, the better one first: the best of all would be everybody's choice until its
/// queue shows. Who has never answered is asked once, and then is taken to be as slow as any.
void by_latency(Candidates& candidates, const ChoiceFacts& facts) {
  double slowest = 0;
  for (Candidate& candidate : candidates) {
    if (!candidate.health) continue;
    const PeakLatency& latency = candidate.health->latency();
    // While somebody waits for it, an old peak is no reason for hope.
    candidate.rank = in_flight(candidate) > 0 ? static_cast<double>(latency.last().count())
                                              : latency.at(facts.now);
    slowest = std::max(slowest, candidate.rank);
  }
  for (Candidate& candidate : candidates) {
    const double waiting = in_flight(candidate);
    if (candidate.rank <= 0 && waiting > 0) candidate.rank = std::max(slowest, 1.0);
    candidate.rank *= waiting + 1;
  }
  const std::uint64_t count = candidates.size();
  put_first(candidates, facts.random % count);
  const std::uint64_t other = 1 + (facts.random >> 32U) % (count - 1);
  const std::size_t better = candidates[other].rank < candidates[0].rank ? other : 0;
  const double rank = candidates[better].rank;
  candidates[better].rank = -1;
  sort_by_rank(candidates);
  candidates[0].rank = rank;
}

void by_busyness(Candidates& candidates, const ChoiceFacts& facts) {
  for (Candidate& candidate : candidates)
    candidate.rank = in_flight(candidate);
  put_first(candidates, facts.random % candidates.size());
  sort_by_rank(candidates);
}

void by_price(Candidates& candidates, const Match& match, const ChoiceFacts& facts) {
  if (!facts.price) return;
  for (Candidate& candidate : candidates) {
    const Target& target = match.route->targets[candidate.index];
    const std::string_view model = target.model == "*" ? match.rest : target.model;
    candidate.rank = facts.price(*target.provider, model);
  }
  sort_by_rank(candidates);
}

/// Rendezvous: each call has its own order of all targets, so that one that goes away or comes back
/// moves only the calls that are its own.
void by_affinity(Candidates& candidates, const Route& route, std::uint64_t affinity) {
  for (Candidate& candidate : candidates) {
    const Target& target = route.targets[candidate.index];
    const std::hash<std::string_view> hash;
    const std::uint64_t name = stir(hash(target.provider->name)) + hash(target.model);
    const double lot = (static_cast<double>(stir(affinity ^ stir(name)) >> 11U) + 0.5) * 0x1p-53;
    const bool weighted = route.strategy == config::Strategy::weighted;
    candidate.rank = -std::log(lot) / (weighted ? target.weight : 1);
  }
  sort_by_rank(candidates);
}

void arrange(Candidates& candidates, const Match& match, const ChoiceFacts& facts) {
  const Route& route = *match.route;
  if (facts.affinity != 0) return by_affinity(candidates, route, facts.affinity);
  switch (route.strategy) {
    case config::Strategy::ordered:
      return;
    case config::Strategy::weighted:
      return by_weight(candidates, route);
    case config::Strategy::least_latency:
      return by_latency(candidates, facts);
    case config::Strategy::least_busy:
      return by_busyness(candidates, facts);
    case config::Strategy::cheapest:
      return by_price(candidates, match, facts);
  }
}

/// Those that have only just come back and whose turn it is not yet, and those whose provider said
/// that nothing is left of its limit.
void put_late_last(Candidates& candidates) {
  if (std::ranges::none_of(candidates, &Candidate::late)) return;
  for (Candidate& candidate : candidates)
    candidate.rank = candidate.late ? 1 : 0;
  sort_by_rank(candidates);
}

Target target_for(const Match& match, const Candidate& candidate, const ChoiceFacts& facts) {
  Target target = match.route->targets[candidate.index];
  if (target.model == "*") target.model = match.rest;
  target.health = candidate.health;
  const std::size_t keys = target.provider->api_keys.size();
  if (own_key(facts.own_keys, target.provider->name) != nullptr) {
    target.key = TargetHealth::foreign_key;
  } else if (keys > 1 && target.health) {
    target.key = facts.affinity != 0 ? target.health->key_from(facts.affinity % keys, facts.now)
                                     : target.health->next_key(facts.now);
  }
  return target;
}

/// A key that is refused or at its limit need not end the call while the provider has others.
void add_further_keys(std::vector<Target>& targets, SteadyTime now) {
  const std::size_t count = targets.size();
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t keys = targets[i].provider->api_keys.size();
    if (keys < 2 || !targets[i].health || targets[i].key >= keys) continue;
    for (std::size_t step = 1; step < keys; ++step) {
      Target further = targets[i];
      further.key = static_cast<std::uint32_t>((targets[i].key + step) % keys);
      if (!further.health->key_rests(further.key, now)) targets.push_back(std::move(further));
    }
  }
}

}  // namespace

std::vector<std::uint16_t> weighted_cycle(const std::vector<Target>& targets) {
  constexpr std::uint64_t longest = 10000;
  std::uint64_t sum = 0, divisor = 0;
  for (const Target& target : targets)
    divisor = std::gcd(divisor, std::uint64_t{target.weight});
  for (const Target& target : targets)
    sum += target.weight / divisor;
  std::vector<std::uint16_t> cycle;
  if (sum > longest) return cycle;
  std::vector<std::int64_t> credit(targets.size(), 0);
  while (cycle.size() < sum) {
    for (std::size_t i = 0; i < targets.size(); ++i)
      credit[i] += static_cast<std::int64_t>(targets[i].weight / divisor);
    const auto best = std::ranges::max_element(credit);
    *best -= static_cast<std::int64_t>(sum);
    cycle.push_back(static_cast<std::uint16_t>(best - credit.begin()));
  }
  return cycle;
}

Choice choose_targets(const Match& match, const ChoiceFacts& facts) {
  Choice choice;
  Candidates candidates = usable(match, facts, false, choice.rest);
  if (candidates.empty() && match.route->queue) {
    candidates = usable(match, facts, true, choice.rest);
    choice.full = !candidates.empty();
  }
  if (candidates.size() > 1) {
    arrange(candidates, match, facts);
    put_late_last(candidates);
  }
  choice.targets.reserve(candidates.size());
  for (const Candidate& candidate : candidates)
    choice.targets.push_back(target_for(match, candidate, facts));
  add_further_keys(choice.targets, facts.now);
  return choice;
}

}  // namespace tollgate::routing
