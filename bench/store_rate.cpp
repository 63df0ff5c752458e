// bench_store_rate: how many calls a second can reserve and settle, in scopes as a key with a user
// under a tenant with a parent has them, and what a call costs: in the store inside the process, or
// over the gateway's own client in a Redis that is running already. Each thread is a worker as the
// gateway has them. Prints one JSON object.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <sys/resource.h>
#include <thread>
#include <vector>

#include "gateway/net/asio_task.hpp"
#include "gateway/net/redis/client.hpp"
#include "policies/store/memory.hpp"
#include "policies/store/redis.hpp"

namespace {

using namespace tollgate;
using Steady = std::chrono::steady_clock;

struct Options {
  std::uint16_t port = 0;  // 0: the store in the process
  int threads = 1, at_once = 64;
  double warmup = 0.5, seconds = 5;
  bool apart = false;
};

constexpr std::uint64_t plenty = 1'000'000'000'000;  // of everything: nothing is ever denied
constexpr int users = 100;

/// The scopes of one tenant's calls.
struct House {
  explicit House(const std::string& name) {
    for (std::size_t i = 0; i < scopes.size(); ++i) {
      asked[i] = &scopes[i];
      Scope& scope = scopes[i];
      scope.limits = {
          .requests_per_minute = plenty, .tokens_per_minute = plenty, .concurrent = 1'000'000};
      scope.budgets.resize(2);
      scope.budgets[0].per = Per::day;
      scope.budgets[1].per = Per::month;
      for (BudgetRule& budget : scope.budgets)
        budget.ceiling = 1'000'000 * nano_per_usd;
    }
    name_of(scopes[0], ScopeKind::key, name, name);
    name_of(scopes[1], ScopeKind::tenant, name, name);
    name_of(scopes[2], ScopeKind::tenant, name + "-parent", name);
    name_of(scopes[3], ScopeKind::model, "bench", "");
    scopes[1].per_user = scopes[1].limits;
  }
  static void name_of(Scope& scope, ScopeKind kind, const std::string& name,
                      const std::string& tenant) {
    scope.kind = kind;
    scope.name = name;
    if (kind == ScopeKind::model) return;
    scope.tenant = kind == ScopeKind::key ? tenant : name;
    scope.root = tenant + "-parent";
  }
  std::array<Scope, 4> scopes;
  std::array<const Scope*, 4> asked{};
};

/// One thread's worker: its calls, and, over Redis, its client.
class Lane {
 public:
  Lane(const House& house, int number, std::atomic<bool>& done)
      : house_(house), name_("b" + std::to_string(number)), done_(done) {}

  void stand_on(Store& store) { store_ = &store; }
  void stand_on(policies::RedisShared& shared, const net::RedisSettings& settings) {
    client_ = net::redis_client({io_, deadlines_, resolver_, tls_, {}}, settings);
    redis_ = std::make_unique<policies::RedisStore>(shared, client_.get());
    store_ = redis_.get();
  }
  void begin(int at_once) {
    running_ = at_once;
    thread_ = std::thread([this, at_once] {
      for (int i = 0; i < at_once; ++i)
        net::spawn(io_, calls(i), [this](const std::exception_ptr&) { ended(); });
      if (redis_) await_tick();
      io_.run();
    });
  }
  void join() { thread_.join(); }

  /// What Redis has used of its CPU since it began, in microseconds. From another thread.
  double redis_cpu() {
    std::promise<double> told;
    net::spawn(io_, ask_cpu(*client_),
               [&told](const std::exception_ptr&, double us) { told.set_value(us); });
    return told.get_future().get();
  }
  [[nodiscard]] std::uint64_t pairs() const { return pairs_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t refused() const { return refused_.load(std::memory_order_relaxed); }

  void collect(std::vector<float>& micros) const {
    micros.insert(micros.end(), micros_.begin(), micros_.end());
  }
  std::atomic<bool> timed{false};  // how long each call takes is kept

 private:
  Awaitable<void> calls(int number) {
    const std::string prefix = name_ + "-" + std::to_string(number) + "-" +
                               std::to_string(Steady::now().time_since_epoch().count()) + "-";
    for (std::uint64_t i = 0; !done_.load(std::memory_order_relaxed); ++i) {
      const bool keep = timed.load(std::memory_order_relaxed) && (client_ || i % 64 == 0);
      const auto began = keep ? Steady::now() : Steady::time_point{};
      co_await call(prefix + std::to_string(i), "user-" + std::to_string(i % users));
      if (!keep) continue;
      micros_.push_back(std::chrono::duration<float, std::micro>(Steady::now() - began).count());
    }
  }

  Awaitable<void> call(std::string id, std::string user) {
    auto verdict = co_await store_->reserve({.id = id,
                                             .scopes = house_.asked,
                                             .user = user,
                                             .tokens = 500,
                                             .bound = 1000,
                                             .estimate = 1000,
                                             .floor = 1000});
    if (!verdict || !verdict->degraded.empty()) add(refused_);
    if (!verdict) co_return;
    co_await store_->settle(std::move(verdict->reservation), {.tokens = 400, .charged = 900});
    add(pairs_);
  }

  static void add(std::atomic<std::uint64_t>& count) {
    count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }

  static Awaitable<double> ask_cpu(net::RedisClient& client) {
    const std::array<std::string_view, 2> info{"INFO", "cpu"};
    auto reply = co_await client.call("", info);
    if (!reply) co_return -1;
    double total = 0;
    for (const std::string_view field : {"used_cpu_sys:", "used_cpu_user:"}) {
      const std::size_t at = reply->text.find(field);
      if (at == std::string::npos) co_return -1;
      total += std::strtod(reply->text.c_str() + at + field.size(), nullptr) * 1e6;
    }
    co_return total;
  }

  void await_tick() {
    timer_.expires_after(std::chrono::seconds(1));
    timer_.async_wait([this](const boost::system::error_code& failed) {
      if (failed || running_ == 0) return;
      net::spawn(io_, redis_->keep_up(), [this](const std::exception_ptr&) {
        if (running_ > 0) await_tick();
      });
    });
  }

  void ended() {
    if (--running_ > 0) return;
    timer_.cancel();
    if (client_) client_->stop();
    resolver_.stop();
    deadlines_.stop();
  }

  const House& house_;
  std::string name_;
  std::atomic<bool>& done_;
  boost::asio::io_context io_{1};
  net::Deadlines deadlines_{io_};
  net::Resolver resolver_{io_, net::ares_source(io_)};
  net::TlsClientContexts tls_;
  boost::asio::steady_timer timer_{io_};
  std::shared_ptr<net::RedisClient> client_;
  std::unique_ptr<policies::RedisStore> redis_;
  Store* store_ = nullptr;
  int running_ = 0;
  std::atomic<std::uint64_t> pairs_{0}, refused_{0};
  std::vector<float> micros_;
  std::thread thread_;
};

using Lanes = std::vector<std::unique_ptr<Lane>>;

/// What all have done, and used, so far.
struct Look {
  explicit Look(const Lanes& lanes, bool redis) {
    if (redis) redis_us = lanes.front()->redis_cpu();
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    const auto us = [](const timeval& time) {
      return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
    };
    ours_us = us(used.ru_utime) + us(used.ru_stime);
    for (const auto& lane : lanes)
      pairs += lane->pairs();
  }
  double redis_us = 0, ours_us = 0;
  std::uint64_t pairs = 0;
  Steady::time_point at = Steady::now();
};

double part(const std::vector<float>& sorted, double share) {
  return sorted.empty() ? 0
                        : static_cast<double>(sorted[static_cast<std::size_t>(
                              share * static_cast<double>(sorted.size() - 1))]);
}

void print(const Options& options, const Look& before, const Look& after, std::uint64_t refused,
           std::vector<float> micros) {
  std::ranges::sort(micros);
  const double seconds = std::chrono::duration<double>(after.at - before.at).count();
  const double pairs = static_cast<double>(std::max<std::uint64_t>(1, after.pairs - before.pairs));
  std::printf(R"({"store": "%s", "threads": %d, "at_once": %d, "apart": %s, "pairs": %.0f, )"
              R"("refused": %llu, "per_second": %.0f, "cpu_us": %.3f, "redis_us": %.3f, )"
              R"("p50_us": %.2f, "p99_us": %.2f})"
              "\n",
              options.port > 0 ? "redis" : "memory", options.threads, options.at_once,
              options.apart ? "true" : "false", pairs, static_cast<unsigned long long>(refused),
              pairs / seconds, (after.ours_us - before.ours_us) / pairs,
              (after.redis_us - before.redis_us) / pairs, part(micros, 0.5), part(micros, 0.99));
}

void rest(double seconds) { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); }

bool run(const Options& options) {
  const Clock clock;
  policies::MemoryStore memory(clock);
  policies::RedisTerms terms;
  terms.prefix = "tollgate-bench";
  policies::RedisShared shared(std::move(terms), clock);
  net::RedisSettings settings;
  settings.endpoint = {"127.0.0.1", options.port};
  settings.nodes = {settings.endpoint};
  settings.connect = settings.command = std::chrono::seconds(5);
  std::vector<std::unique_ptr<House>> houses;
  std::atomic<bool> done{false};
  Lanes lanes;
  for (int i = 0; i < options.threads; ++i) {
    if (i == 0 || options.apart) {
      houses.push_back(std::make_unique<House>("bench-" + std::to_string(i)));
      for (Scope& scope : houses.back()->scopes)
        options.port > 0 ? shared.attach(scope) : memory.attach(scope);
    }
    lanes.push_back(std::make_unique<Lane>(*houses.back(), i, done));
    options.port > 0 ? lanes.back()->stand_on(shared, settings) : lanes.back()->stand_on(memory);
  }
  for (const auto& lane : lanes)
    lane->begin(options.at_once);
  rest(options.warmup);
  for (const auto& lane : lanes)
    lane->timed = true;
  const Look before(lanes, options.port > 0);
  rest(options.seconds);
  const Look after(lanes, options.port > 0);
  done = true;
  std::vector<float> micros;
  std::uint64_t refused = 0;
  for (const auto& lane : lanes) {
    lane->join();
    refused += lane->refused();
    lane->collect(micros);
  }
  print(options, before, after, refused, std::move(micros));
  return refused == 0 && after.redis_us >= 0 && after.pairs > before.pairs;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Calls that reserve and settle; in Redis its keys begin with tollgate-bench.");
  Options options;
  app.add_option("--redis", options.port, "Port of a redis-server on this machine");
  app.add_option("--threads", options.threads, "Workers")->check(CLI::Range(1, 64));
  app.add_option("--at-once", options.at_once, "Calls of one worker that are under way")
      ->check(CLI::Range(1, 10000));
  app.add_option("--warmup", options.warmup, "Seconds before the window");
  app.add_option("--seconds", options.seconds, "Seconds of the window");
  app.add_flag("--apart", options.apart, "A tenant for each worker; else one for all");
  CLI11_PARSE(app, argc, argv);
  return run(options) ? 0 : 1;
}
