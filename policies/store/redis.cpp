#include "policies/store/redis.hpp"

#include <algorithm>
#include <cassert>

#include "policies/store/crossings.hpp"
#include "policies/store/redis_call.hpp"
#include "policies/store/redis_leases.hpp"

namespace tollgate::policies {
namespace {

constexpr std::size_t ended_place = 2;  // among a settlement's numbers

/// Place of a scope within the group, from 1; 0: it is not there.
std::int64_t place_of(const RedisGroup& group, const Scope* scope) {
  const auto found = std::ranges::find(group.scopes, scope);
  return found == group.scopes.end() ? 0 : found - group.scopes.begin() + 1;
}

/// Place of the first model, behind which all are models; 0: there is none.
std::int64_t first_model(const RedisGroup& group) {
  const auto found = std::ranges::find(group.scopes, ScopeKind::model, &Scope::kind);
  assert(std::all_of(found, group.scopes.end(),
                     [](const Scope* scope) { return scope->kind == ScopeKind::model; }));
  return found == group.scopes.end() ? 0 : found - group.scopes.begin() + 1;
}

const Scope* user_scope_of(std::span<const Scope* const> scopes) {
  const auto found =
      std::ranges::find_if(scopes, [](const Scope* scope) { return scope->per_user.has_value(); });
  return found == scopes.end() ? nullptr : *found;
}

/// As many numbers as rules mostly are, those before them and a scope's: more only cost time.
constexpr std::size_t numbers_before = 18, numbers_of_scope = 26;

void add_rules(RedisAsk& ask, const RedisGroup& group, const Scope* user_scope) {
  for (const Scope* scope : group.scopes) {
    ask.numbers.add_limits(scope->limits);
    ask.numbers.add_budgets(*scope);
  }
  if (place_of(group, user_scope) > 0) ask.numbers.add_limits(*user_scope->per_user);
}

Denial unavailable(std::span<const Scope* const> scopes) {
  Denial denial;
  denial.kind = DenialKind::unavailable;
  denial.of = scopes.empty() ? nullptr : scopes.front();
  denial.retry_after = std::chrono::milliseconds(1000);
  return denial;
}

}  // namespace

RedisStore::RedisStore(RedisShared& shared, RedisPort* port)
    : shared_(shared), port_(port), name_(random_word()) {}

RedisStore::~RedisStore() {
  assert(std::ranges::all_of(running_, [](const auto* own) { return own->charge != nullptr; }));
}

RedisStore::Groups RedisStore::groups_of(std::span<const Scope* const> scopes,
                                         std::string_view id) const {
  Groups groups;
  for (const Scope* scope : scopes) {
    const std::string& tag = redis_account(*scope).tag;
    const auto same = std::ranges::find(groups, tag, &RedisGroup::tag);
    if (same != groups.end()) {
      same->scopes.push_back(scope);
    } else if (!groups.empty() && !shared_.terms().cluster) {
      groups.front().scopes.push_back(scope);
    } else {
      groups.push_back({tag, shared_.keys().record(tag, id), {scope}});
    }
  }
  return groups;
}

Awaitable<Verdict> RedisStore::reserve(const Ask& ask) {
  const SystemTime now = shared_.clock().system();
  if (shared_.reloads() != reloads_seen_) {
    reloads_seen_ = shared_.reloads();
    denials_.clear();
  }
  if (!denials_.empty()) {
    if (auto denial = denials_.find(ask, now)) co_return std::unexpected(std::move(*denial));
  }
  auto own = std::make_unique<RedisReservation>();
  own->id = ask.id;
  own->user = ask.user;
  own->scopes.assign(ask.scopes.begin(), ask.scopes.end());
  own->groups = groups_of(own->scopes, ask.id);
  own->user_scope = user_scope_of(own->scopes);
  own->estimate = ask.estimate;
  own->tokens = ask.tokens;
  own->held = ask.bound;
  if (other_data(*own) && co_await may_lack_writes(*own))
    co_return co_await reserve_away(ask, std::move(own));
  RedisPlaces places(ask, *own);
  for (RedisGroup& group : own->groups) {
    auto asked = co_await ask_group(ask, *own, group, places);
    if (!asked) {
      take_back(*own);
      co_return co_await reserve_away(ask, std::move(own));
    }
    if (*asked) continue;
    co_await give_back(*own);
    Question& question = places.question();
    auto denial = question.limits();
    if (!denial) {
      auto held = question.budgets();
      denial = held ? unavailable(ask.scopes) : std::move(held.error());
    }
    denials_.remember(ask, *denial, now, shared_.terms().remember);
    co_return std::unexpected(std::move(*denial));
  }
  if (!other_data(*own).value_or("").empty()) {  // they answered, or may have
    take_back(*own);
    co_return co_await reserve_away(ask, std::move(own));
  }
  co_return admitted(std::move(own), places);
}

Admitted RedisStore::admitted(std::unique_ptr<RedisReservation> own, RedisPlaces& places) {
  Admitted admitted;
  if (!places.empty()) {
    Question& question = places.question();
    // Only for what `enforce: false` let pass: the script has decided already.
    if (question.limits().has_value() || !question.budgets()) assert(false);
    question.fill_buckets();
    admitted.room = question.room();
    admitted.would_deny = question.take_would_deny();
  }
  if (own->counts()) shared_.held(own->held);
  own->running = running_.insert(running_.end(), own.get());
  admitted.reservation = std::move(own);
  return admitted;
}

/// The keys of a call and of what it touches in one place.
RedisAsk RedisStore::about(const RedisReservation& own, const RedisGroup& group) const {
  constexpr std::size_t other_keys = 5;
  RedisAsk question;
  question.keys.reserve(other_keys + group.scopes.size());
  question.keys.push_back(group.record);
  question.keys.push_back(shared_.keys().leases(group.tag));
  question.add_scopes(group.scopes);
  question.numbers.expect(numbers_before + numbers_of_scope * group.scopes.size());
  if (own.has_user(group)) question.add_user(shared_.keys(), *own.user_scope, own.user);
  return question;
}

/// `again`: it runs already, and Redis has lost what it held.
RedisAsk RedisStore::reserving(const RedisReservation& own, const RedisGroup& group, const Ask& ask,
                               bool again) const {
  RedisAsk question = about(own, group);
  RedisNumbers& numbers = question.numbers;
  numbers.add(again ? 1 : 0);
  numbers.add(std::chrono::microseconds(shared_.terms().lease).count());
  numbers.add_count(shared_.terms().users_max);
  numbers.add_money(ask.bound);
  numbers.add_money(ask.estimate);
  numbers.add_money(ask.floor);
  numbers.add_count(ask.tokens);
  numbers.add_count(group.scopes.size());
  numbers.add(place_of(group, own.user_scope));
  numbers.add(own.user.empty() ? 0 : 1);
  add_rules(question, group, own.user_scope);
  return question;
}

/// True: the group's scopes admit the call. Error: they could not be asked.
Awaitable<Result<bool>> RedisStore::ask_group(const Ask& ask, RedisReservation& own,
                                              RedisGroup& group, RedisPlaces& places) {
  RedisAsk question = reserving(own, group, ask, false);
  group.asked = true;
  auto answer = co_await run_filled(shared_.scripts().reserve, question);
  if (!answer) {
    group.asked = !never_sent(answer.error());
    co_return std::unexpected(answer.error());
  }
  const std::int64_t verdict = answer->take();
  if (verdict == -2) co_return fail(ErrorKind::store_unavailable, "This call was given up before.");
  const SystemTime now = time_of(answer->take()), admitted_at = time_of(answer->take());
  if (places.empty()) own.admitted_at = admitted_at;
  own.held = std::min(own.held, answer->take_money());
  places.add(group, *answer, now, admitted_at);
  group.asked = verdict == 1;
  co_return verdict == 1;
}

/// `again`: it was granted, and Redis has lost that.
RedisAsk RedisStore::extending(const RedisGroup& group, NanoUsd total, bool again) {
  RedisAsk question;
  question.keys = {group.record};
  question.add_scopes(group.scopes);
  question.numbers.add_money(total);
  question.numbers.add(again ? 1 : 0);
  question.numbers.add_count(group.scopes.size());
  for (const Scope* scope : group.scopes)
    question.numbers.add_budgets(*scope);
  return question;
}

Awaitable<std::expected<void, Denial>> RedisStore::extend(Reservation& reservation, NanoUsd total) {
  auto& own = static_cast<RedisReservation&>(reservation);
  if (total <= own.held) co_return std::expected<void, Denial>{};
  if (own.local) co_return co_await extend_away(own, total);
  own.raised_to = total;
  auto extended = co_await extend_all(own, total);
  own.raised_to = own.held;
  co_return extended;
}

Awaitable<std::expected<void, Denial>> RedisStore::extend_all(RedisReservation& own,
                                                              NanoUsd total) {
  for (const RedisGroup& group : own.groups) {
    RedisAsk question = extending(group, total, false);
    auto answer = co_await run_filled(shared_.scripts().extend, question);
    const std::int64_t verdict = answer ? answer->take() : -3;
    if (verdict == 1) continue;
    if (verdict != 0) co_return co_await extend_away(own, total);
    const SystemTime latest = time_of(answer->take());
    for (const Scope* scope : group.scopes) {
      for (const BudgetRule& rule : scope->budgets) {
        const NanoUsd spent = answer->take_money(), held = answer->take_money();
        if (spent < 0) continue;
        auto denial = extension_denial({scope, &rule, spent, held}, own.held, total, latest);
        if (denial) co_return std::unexpected(std::move(*denial));
      }
    }
    co_return std::unexpected(unavailable(own.scopes));
  }
  if (own.counts()) shared_.held(total - own.held);
  own.held = total;
  co_return std::expected<void, Denial>{};
}

RedisAsk RedisStore::ending(const RedisReservation& own, const RedisGroup& group,
                            const Charge* charge) const {
  RedisAsk question = about(own, group);
  RedisNumbers& numbers = question.numbers;
  numbers.add(charge != nullptr ? 1 : 0);
  numbers.add(own.admitted_at == SystemTime{} ? 0 : micros_of(own.admitted_at));
  numbers.add(0);
  for (const ScopeKind kind : {ScopeKind::tenant, ScopeKind::model}) {
    const Charge::Part part = charge != nullptr ? charge->part_of(kind) : Charge::Part{};
    numbers.add_money(part.charged);
    numbers.add_count(part.tokens);
  }
  numbers.add_count(group.scopes.size());
  numbers.add(first_model(group));
  numbers.add(place_of(group, own.user_scope));
  add_rules(question, group, own.user_scope);
  question.scopes = {};
  return question;
}

/// Should it be asked once more, after data were lost: the ledger may have it then.
void RedisStore::asked_again(RedisAsk& end) const {
  end.numbers.replace(ended_place, micros_of(shared_.clock().system()));
}

Awaitable<std::vector<Crossing>> RedisStore::settle(std::unique_ptr<Reservation> reservation,
                                                    const Charge& charge) {
  auto& own = static_cast<RedisReservation&>(*reservation);
  own.charge = &charge;
  denials_.forget(own.scopes);
  if (own.counts()) shared_.settled(own.held, charge.charged);
  std::vector<Crossing> crossings;
  if (own.local) {
    crossings = co_await shared_.local().settle(std::move(own.local), charge);
    for (Crossing& crossing : crossings)
      crossing.scope = original(own.scopes, crossing.scope);
  }
  std::vector<RedisAsk> unanswered;
  for (const RedisGroup& group : own.groups) {
    RedisAsk end = ending(own, group, &charge);
    end.settles = true;
    auto answer = co_await run_filled(shared_.scripts().settle, end);
    asked_again(end);
    if (!answer) {
      unanswered.push_back(std::move(end));
      continue;
    }
    note_crossings(group, own, *answer, crossings);
    settled_.push_back({shared_.clock().steady(), std::move(end)});
  }
  running_.erase(own.running);
  keep_settlements(std::move(unanswered), own.id);
  co_return crossings;
}

void RedisStore::note_crossings(const RedisGroup& group, const RedisReservation& own,
                                RedisAnswer& answer, std::vector<Crossing>& out) {
  answer.take();
  const SystemTime now = time_of(answer.take());
  while (!answer.at_end()) {
    const auto scope_place = static_cast<std::size_t>(answer.take() - 1);
    const auto budget_place = static_cast<std::size_t>(answer.take() - 1);
    const auto step = static_cast<std::uint32_t>(answer.take());
    CrossedWindow window{.admitted = own.admitted_at, .now = now};
    window.spent = answer.take_money();
    window.reserved = answer.take_money();
    window.start = time_of(answer.take() * 1'000'000);
    const Scope& scope = *group.scopes[scope_place];
    const BudgetRule& rule = scope.budgets[budget_place];
    if (rule.per == Per::total && rule.since) window.start = *rule.since;
    out.push_back(crossing_of(scope, rule, step, window));
  }
}

Awaitable<Result<std::vector<Reading>>> RedisStore::read(std::span<const Scope* const> scopes,
                                                         std::string_view user) {
  std::vector<Reading> readings;
  const Scope* user_scope = user_scope_of(scopes);
  for (const RedisGroup& group : groups_of(scopes, {})) {
    RedisAsk question;
    question.add_scopes(group.scopes);
    const std::int64_t user_place = place_of(group, user_scope);
    if (user_place > 0) question.add_user(shared_.keys(), *user_scope, user);
    question.numbers.add_count(group.scopes.size());
    question.numbers.add(user_place);
    add_rules(question, group, user_scope);
    auto answer = co_await run_filled(shared_.scripts().read, question);
    if (!answer) co_return std::unexpected(answer.error());
    answer->take();
    RedisReadings(group, user_place > 0 ? user_scope : nullptr, user).take(*answer, readings);
  }
  co_return readings;
}

}  // namespace tollgate::policies
