#include <doctest/doctest.h>
#include <map>

#include "routing/balance.hpp"

namespace tollgate::routing {
namespace {

using Providers = std::unordered_map<std::string, std::shared_ptr<const ProviderEntry>>;

Providers providers(std::initializer_list<const char*> names) {
  Providers made;
  for (const char* name : names) {
    auto entry = std::make_shared<ProviderEntry>();
    entry->name = name;
    made.emplace(name, std::move(entry));
  }
  return made;
}

config::ModelConfig model(std::vector<config::TargetConfig> targets,
                          config::Strategy strategy = config::Strategy::ordered) {
  config::ModelConfig made;
  made.targets = std::move(targets);
  made.strategy = strategy;
  return made;
}

}  // namespace

TEST_CASE("an exact name beats the longest wildcard prefix") {
  config::Config config;
  config.models = {{"a/*", model({{"p", "*", 1}})},
                   {"a/b/*", model({{"p", "x-*", 1}, {"p", "*", 1}})},
                   {"a/b/c", model({{"p", "exact", 1}})}};
  const RouteTable table(config, providers({"p"}));
  CHECK(table.find("a/b/c")->route->name == "a/b/c");
  CHECK(table.find("a/b/d")->route->name == "a/b/*");
  CHECK(table.find("a/x")->route->name == "a/*");
  CHECK_FALSE(table.find("b").has_value());
  CHECK_FALSE(table.find("").has_value());
  const std::string asked = "a/b/d/e";
  const auto targets = choose_targets(*table.find(asked), {}).targets;
  CHECK(targets[0].model == "x-*");
  CHECK(targets[1].model == "d/e");
}

TEST_CASE("a model whose providers are all disabled is none") {
  config::Config config;
  config.models = {{"gone", model({{"off", "m", 1}})},
                   {"half", model({{"off", "m", 1}, {"p", "n", 1}})}};
  const RouteTable table(config, providers({"p"}));
  CHECK_FALSE(table.find("gone").has_value());
  CHECK(choose_targets(*table.find("half"), {}).targets.size() == 1);
  CHECK(table.routes().size() == 1);
}

TEST_CASE("ordered targets keep their order") {
  config::Config config;
  config.models = {{"m", model({{"p", "1", 1}, {"p", "2", 9}, {"p", "3", 1}})}};
  const RouteTable table(config, providers({"p"}));
  for (int i = 0; i < 5; ++i) {
    const auto targets = choose_targets(*table.find("m"), {}).targets;
    CHECK(targets[0].model + targets[1].model + targets[2].model == "123");
  }
}

TEST_CASE("weighted targets take turns by weight, smoothly, and the others follow as fallbacks") {
  config::Config config;
  config.models = {
      {"m", model({{"p", "a", 5}, {"p", "b", 1}, {"p", "c", 1}}, config::Strategy::weighted)}};
  const RouteTable table(config, providers({"p"}));
  std::map<std::string, int> first;
  std::string order;
  for (int i = 0; i < 700; ++i) {
    const auto targets = choose_targets(*table.find("m"), {}).targets;
    REQUIRE(targets.size() == 3);
    ++first[targets[0].model];
    if (i < 7) order += targets[0].model;
  }
  CHECK(first == std::map<std::string, int>{{"a", 500}, {"b", 100}, {"c", 100}});
  CHECK(order == "aabacaa");
}

TEST_CASE("attempts are bounded within a model and over all; one attempt needs no budget") {
  config::Config config;
  config::ModelConfig few = model({{"p", "m", 1}});
  few.retry.attempts = 5;
  few.max_attempts = 2;
  config.models = {{"m", few}};
  const RouteTable table(config, providers({"p"}));
  const Route& route = *table.find("m")->route;
  CHECK(route.retry.attempts == 5);
  CHECK(route.attempts_max == 2);
  CHECK(route.targets[0].repeats == &route.repeats[0]);
  few.max_attempts = 1;
  config.models = {{"m", few}};
  CHECK(RouteTable(config, providers({"p"})).find("m")->route->targets[0].repeats == nullptr);
}

}  // namespace tollgate::routing
