// What a call costs that reserves and settles over Redis: one worker's client and store against a
// server that is running already, 1 and 64 calls at a time, in scopes as a key under a tenant with
// a parent has them. Prints one JSON object.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <vector>

#include "gateway/net/asio_task.hpp"
#include "gateway/net/redis/client.hpp"
#include "policies/store/redis.hpp"

namespace {

using namespace tollgate;
using Steady = std::chrono::steady_clock;

struct Figures {
  std::vector<double> micros;
  std::size_t refused = 0;
};

struct House {
  House() {
    for (std::size_t i = 0; i < scopes.size(); ++i)
      asked[i] = &scopes[i];
    scopes[0].kind = ScopeKind::key;
    scopes[3].kind = ScopeKind::model;
    for (Scope& scope : scopes) {
      const bool of_model = scope.kind == ScopeKind::model;
      scope.name = &scope == &scopes[2] ? "parent" : "bench";
      scope.tenant = of_model ? "" : scope.name;
      scope.root = of_model ? "" : "parent";
      scope.limits = {.requests_per_minute = 1'000'000'000, .tokens_per_minute = 1'000'000'000};
    }
    BudgetRule month;
    month.ceiling = 1'000'000 * nano_per_usd;
    scopes[0].budgets = scopes[1].budgets = {month};
  }
  std::array<Scope, 4> scopes;
  std::array<const Scope*, 4> asked{};
};

Awaitable<void> calls(Store& store, const House& house, std::string name, int count,
                      Figures& figures) {
  for (int i = 0; i < count; ++i) {
    const std::string id = name + "-" + std::to_string(i);
    const auto begin = Steady::now();
    auto verdict = co_await store.reserve({.id = id,
                                           .scopes = house.asked,
                                           .user = {},
                                           .tokens = 500,
                                           .bound = 1000,
                                           .estimate = 1000,
                                           .floor = 1000});
    if (!verdict || !verdict->degraded.empty()) ++figures.refused;
    if (!verdict) continue;
    co_await store.settle(std::move(verdict->reservation), {.tokens = 400, .charged = 900});
    figures.micros.push_back(
        std::chrono::duration<double, std::micro>(Steady::now() - begin).count());
  }
}

double part(std::vector<double>& sorted, double share) {
  return sorted.empty()
             ? 0
             : sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))];
}

bool run(net::RedisSettings settings, int at_once, int count, bool last) {
  boost::asio::io_context io{1};
  net::Deadlines deadlines{io};
  net::Resolver resolver{io, net::ares_source(io)};
  net::TlsClientContexts tls;
  const auto client = net::redis_client({io, deadlines, resolver, tls, {}}, settings);
  const Clock clock;
  policies::RedisTerms terms;
  terms.prefix = "tollgate-bench";
  policies::RedisShared shared(std::move(terms), clock);
  policies::RedisStore store(shared, client.get());
  House house;
  for (Scope& scope : house.scopes)
    store.attach(scope);
  Figures figures;
  int running = at_once;
  const auto begin = Steady::now();
  const std::string name = "b" + std::to_string(begin.time_since_epoch().count());
  for (int i = 0; i < at_once; ++i) {
    net::spawn(io, calls(store, house, name + "-" + std::to_string(i), count / at_once, figures),
               [&](const std::exception_ptr&) {
                 if (--running > 0) return;
                 client->stop();
                 resolver.stop();
                 deadlines.stop();
               });
  }
  io.run();
  const double seconds = std::chrono::duration<double>(Steady::now() - begin).count();
  std::ranges::sort(figures.micros);
  std::printf(
      "  {\"at_once\": %d, \"calls\": %zu, \"refused\": %zu, \"per_second\": %.0f, "
      "\"p50_us\": %.0f, \"p99_us\": %.0f}%s\n",
      at_once, figures.micros.size(), figures.refused,
      static_cast<double>(figures.micros.size()) / seconds, part(figures.micros, 0.5),
      part(figures.micros, 0.99), last ? "" : ",");
  return figures.refused == 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Reserves and settles over a running Redis; its keys begin with tollgate-bench.");
  std::uint16_t port = 6379;
  int count = 20'000;
  app.add_option("--port", port, "of a redis-server on this machine");
  app.add_option("--calls", count, "at each concurrency");
  CLI11_PARSE(app, argc, argv);
  net::RedisSettings settings;
  settings.endpoint = {"127.0.0.1", port};
  settings.nodes = {settings.endpoint};
  settings.connect = settings.command = std::chrono::seconds(5);
  std::printf("{\"reserve_and_settle\": [\n");
  const bool one = run(settings, 1, count, false), many = run(settings, 64, count, true);
  std::printf("]}\n");
  return one && many ? 0 : 1;
}
