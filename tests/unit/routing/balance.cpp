#include "routing/balance.hpp"

#include <doctest/doctest.h>
#include <map>
#include <random>

#include "routing/health_registry.hpp"

namespace tollgate::routing {
namespace {

using namespace std::chrono_literals;
using config::Strategy;
using Providers = std::unordered_map<std::string, std::shared_ptr<const ProviderEntry>>;

Providers providers(const std::vector<std::string>& names, std::vector<std::string> keys = {}) {
  Providers made;
  for (const std::string& name : names) {
    auto entry = std::make_shared<ProviderEntry>();
    entry->name = name;
    entry->api_keys = keys;
    made.emplace(name, std::move(entry));
  }
  return made;
}

/// One model `m` with a target of model `x` at each provider, in a world with a clock of its own.
struct Lab {
  HealthRegistry registry;
  RouteTable table;
  ChoiceFacts facts;
  std::mt19937_64 random{7};

  static config::Config config(const std::vector<std::string>& names, Strategy strategy,
                               const std::vector<std::uint32_t>& weights, bool queue = false) {
    config::ModelConfig model;
    if (queue) model.queue.emplace();
    for (std::size_t i = 0; i < names.size(); ++i)
      model.targets.push_back({names[i], "x", weights.empty() ? 1 : weights[i]});
    model.strategy = strategy;
    config::Config made;
    made.models = {{"m", model}};
    return made;
  }
  explicit Lab(const std::vector<std::string>& names, Strategy strategy = Strategy::ordered,
               const std::vector<std::uint32_t>& weights = {}, std::vector<std::string> keys = {},
               bool queue = false)
      : table(config(names, strategy, weights, queue), providers(names, std::move(keys))) {
    facts.now = SteadyTime(1h);
    registry.attach(table, facts.now);
  }
  TargetHealth& health(std::size_t index) { return *table.routes()[0]->targets[index].health; }
  Choice choose() {
    facts.random = random();
    return choose_targets(*table.find("m"), facts);
  }
  std::string order() {
    std::string names;
    for (const Target& target : choose().targets)
      names += target.provider->name;
    return names;
  }
  void end(std::size_t index, Verdict verdict, std::uint32_t key = 0,
           std::optional<std::chrono::milliseconds> retry_after = {}) {
    Availability refused;
    const auto pass = health(index).enter(key, facts.now, refused);
    REQUIRE(pass);
    health(index).leave(*pass, {.verdict = verdict, .retry_after = retry_after}, facts.now);
  }
  void fail(std::size_t index) {
    while (health(index).look(facts.now).usable())
      end(index, Verdict::failed);
  }
};

}  // namespace

TEST_CASE("weights hold within one in a hundred, whatever they are and whoever is missing") {
  for (const std::vector<std::uint32_t>& weights :
       {std::vector<std::uint32_t>{7, 2, 1}, {1000000, 300000, 77777}, {1, 1, 1}}) {
    for (const bool first_is_down : {false, true}) {
      Lab lab({"a", "b", "c"}, Strategy::weighted, weights);
      if (first_is_down) lab.fail(0);
      std::map<char, int> firsts;
      for (int i = 0; i < 10000; ++i)
        ++firsts[lab.order().front()];
      const double sum = weights[1] + weights[2] + (first_is_down ? 0 : weights[0]);
      const double first = first_is_down ? 0 : 1e4 * weights[0] / sum;
      CHECK(std::abs(firsts['a'] - first) < 100);
      CHECK(std::abs(firsts['b'] - 1e4 * weights[1] / sum) < 100);
      CHECK(std::abs(firsts['c'] - 1e4 * weights[2] / sum) < 100);
    }
  }
}

TEST_CASE("targets that rest are left out; when all do, the soonest end and the reason are told") {
  Lab lab({"a", "b", "c"});
  lab.fail(1);
  CHECK(lab.order() == "ac");
  lab.end(0, Verdict::rate_limited, 0, 9s);
  CHECK(lab.order() == "c");
  lab.end(2, Verdict::rate_limited, 0, 5s);
  Choice none = lab.choose();
  CHECK(none.targets.empty());
  CHECK(none.rest.rest == Rest::broken);
  CHECK(none.rest.until == lab.facts.now + 5s);
  Lab limited({"a", "b"});
  for (const std::size_t i : {0U, 1U})
    limited.end(i, Verdict::rate_limited, 0, 5s);
  CHECK(limited.choose().rest.rest == Rest::limited);
}

TEST_CASE("with a queue those at their limits are chosen where there is nobody else") {
  Lab lab({"a", "b", "c"}, Strategy::ordered, {}, {}, true);
  lab.fail(0);
  lab.end(1, Verdict::rate_limited, 0, 9s);
  CHECK(lab.order() == "c");
  CHECK_FALSE(lab.choose().full);
  lab.end(2, Verdict::rate_limited, 0, 5s);
  CHECK(lab.order() == "bc");  // nobody waits for what is broken
  CHECK(lab.choose().full);
  Lab broken({"a"}, Strategy::ordered, {}, {}, true);
  broken.fail(0);
  CHECK(broken.choose().targets.empty());
  CHECK_FALSE(broken.choose().full);
}

TEST_CASE("who has only just come back gets a growing share, and is there in need") {
  Lab lab({"a", "b"});
  lab.fail(0);
  lab.facts.now += 30s;
  lab.end(0, Verdict::good);  // the probe
  const auto share = [&lab] {
    int first = 0;
    for (int i = 0; i < 1000; ++i) {
      const std::string order = lab.order();
      REQUIRE(order.size() == 2);
      first += order.front() == 'a' ? 1 : 0;
    }
    return first;
  };
  CHECK(std::abs(share() - 100) < 40);
  lab.facts.now += 5s;
  CHECK(std::abs(share() - 500) < 60);
  lab.facts.now += 5s;
  CHECK(share() == 1000);
}

TEST_CASE("least_latency: a target ten times slower gets less than a tenth") {
  for (const std::size_t count : {2U, 4U}) {
    const std::vector<std::string> all{"a", "b", "c", "d"};
    Lab lab({all.begin(), all.begin() + static_cast<long>(count)}, Strategy::least_latency);
    struct Running {
      std::size_t target;
      Pass pass;
      SteadyTime since, ends;
    };
    std::vector<Running> running;
    std::map<std::size_t, int> asked;
    // A call every 20 ms for ten minutes; "a" takes a second, the others a tenth of one.
    for (int i = 0; i < 30000; ++i) {
      lab.facts.now += 20ms;
      std::erase_if(running, [&](Running& one) {
        if (one.ends > lab.facts.now) return false;
        lab.health(one.target).first_token(one.pass, one.ends - one.since, one.ends);
        lab.health(one.target).leave(one.pass, {.verdict = Verdict::good}, one.ends);
        return true;
      });
      const std::string first = lab.choose().targets.front().provider->name;
      const auto target = static_cast<std::size_t>(first[0] - 'a');
      ++asked[target];
      Availability refused;
      const auto pass = lab.health(target).enter(0, lab.facts.now, refused);
      running.push_back(
          {target, *pass, lab.facts.now, lab.facts.now + (target == 0 ? 1000ms : 100ms)});
    }
    CHECK(asked[0] > 0);  // it is looked at again and again
    CHECK(asked[0] < 3000);
    for (std::size_t i = 1; i < count; ++i)
      CHECK(asked[i] > 30000 / static_cast<int>(count) / 2);
  }
}

TEST_CASE("least_busy asks the one with the fewest calls in flight") {
  Lab lab({"a", "b", "c"}, Strategy::least_busy);
  std::map<char, int> firsts;
  for (int i = 0; i < 300; ++i) {
    const std::string order = lab.order();
    ++firsts[order.front()];
    Availability refused;
    (void)lab.health(static_cast<std::size_t>(order.front() - 'a'))
        .enter(0, lab.facts.now, refused);
  }
  CHECK(firsts == std::map<char, int>{{'a', 100}, {'b', 100}, {'c', 100}});
}

TEST_CASE("cheapest goes by the price that is handed in; a target of unknown price comes last") {
  Lab lab({"a", "b", "c"}, Strategy::cheapest);
  lab.facts.price = [](const ProviderEntry& provider, std::string_view model) {
    CHECK(model == "x");
    return provider.name == "c" ? 1.0 : provider.name == "b" ? 2.0 : HUGE_VAL;
  };
  CHECK(lab.order() == "cba");
  lab.fail(2);
  CHECK(lab.order() == "ba");
}

TEST_CASE("affinity: the same order for the same conversation, evenly, and few move") {
  Lab four({"a", "b", "c", "d"});
  Lab three({"a", "b", "d"});
  std::map<char, int> firsts;
  int stayed = 0, others = 0;
  for (std::uint64_t conversation = 1; conversation <= 4000; ++conversation) {
    four.facts.affinity = three.facts.affinity = conversation;
    const std::string order = four.order();
    CHECK(four.order() == order);
    ++firsts[order.front()];
    const char after = three.order().front();
    if (order.front() == 'c') {
      CHECK(after == order[1]);
    } else {
      ++others;
      stayed += after == order.front() ? 1 : 0;
    }
  }
  for (const char name : {'a', 'b', 'c', 'd'})
    CHECK(std::abs(firsts[name] - 1000) < 120);
  CHECK(stayed == others);
}

TEST_CASE("affinity follows weights where the strategy does") {
  Lab lab({"a", "b"}, Strategy::weighted, {3, 1});
  int first = 0;
  for (std::uint64_t user = 1; user <= 4000; ++user) {
    lab.facts.affinity = user;
    first += lab.order().front() == 'a' ? 1 : 0;
  }
  CHECK(std::abs(first - 3000) < 150);
}

TEST_CASE("keys of one provider take turns; further ones stand behind all targets") {
  Lab lab({"a", "b"}, Strategy::ordered, {}, {"k0", "k1", "k2"});
  std::map<std::uint32_t, int> used;
  for (int i = 0; i < 300; ++i)
    ++used[lab.choose().targets.front().key];
  CHECK(used == std::map<std::uint32_t, int>{{0, 100}, {1, 100}, {2, 100}});
  CHECK(lab.order() == "abaabb");
  lab.end(0, Verdict::rate_limited, 1, 60s);
  const Choice choice = lab.choose();
  for (const Target& target : choice.targets)
    CHECK((target.provider->name == "b" || target.key != 1));
  CHECK(choice.targets.size() == 5);
  const HeaderList own{{"a", "own"}};
  lab.facts.own_keys = &own;
  CHECK(lab.choose().targets.front().key == TargetHealth::foreign_key);
}

TEST_CASE("who said that nothing is left is asked last, and its other key first") {
  Lab lab({"a", "b"});
  lab.health(0).spare_key(0, lab.facts.now + 20s);
  CHECK(lab.order() == "ba");
  lab.facts.now += 20s;
  CHECK(lab.order() == "ab");
  Lab keys({"a", "b"}, Strategy::ordered, {}, {"k0", "k1"});
  keys.health(0).spare_key(0, keys.facts.now + 20s);
  for (int i = 0; i < 3; ++i) {
    const Target first = keys.choose().targets.front();
    CHECK(first.provider->name == "a");
    CHECK(first.key == 1);
  }
}

TEST_CASE("health is found again after a reload, unless the provider has become another") {
  Lab lab({"a", "b"});
  lab.fail(0);
  const auto reloaded = [&lab](const std::vector<std::string>& keys) {
    RouteTable table(Lab::config({"a", "b"}, Strategy::ordered, {}), providers({"a", "b"}, keys));
    lab.registry.attach(table, lab.facts.now);
    return choose_targets(*table.find("m"), lab.facts).targets.size();
  };
  CHECK(reloaded({}) == 1);
  CHECK(reloaded({"another"}) == 2);
}

TEST_CASE("names under a wildcard have a health each, and no more of them than a thousand") {
  WildHealth wild("p", 1);
  const auto named = std::make_shared<TargetHealth>("p", "named", 1);
  wild.set({.failures = 1}, {{"named", named}});
  CHECK(wild.of("named") == named);
  const auto first = wild.of("first");
  CHECK(wild.of("first") == first);
  CHECK(wild.of("second") != first);
  for (std::size_t i = 0; i < 2 * WildHealth::names_max; ++i) {
    (void)wild.of(std::to_string(i));
    if (i % 100 == 0) CHECK(wild.of("first") == first);  // in use, so it stays
  }
  CHECK(wild.all().size() == WildHealth::names_max);
  CHECK(wild.of(std::string(WildHealth::name_bytes_max + 1, 'x')) == nullptr);
}

}  // namespace tollgate::routing
