#include "gateway/app/serve.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <sys/resource.h>
#include <thread>

#include "config/values.hpp"
#include "gateway/app/server.hpp"
#include "routing/health_registry.hpp"

namespace tollgate::app {
namespace {

void print_lines(const std::vector<std::string>& lines) {
  for (const std::string& line : lines)
    std::fprintf(stderr, "%s\n", line.c_str());
}

int give_up(const Error& error) {
  std::fprintf(stderr, "tollgate: %s\n", error.message.c_str());
  return 1;
}

/// Every connection is a descriptor: takes what the system allows.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

/// The one secret that may be printed: it is published anyway, and refused beyond loopback.
void print_demo_key(const config::Config& config) {
  if (!config.published_demo_key) return;
  std::fprintf(stderr, "demo key (published, for this machine only): %s\n",
               std::string(config::published_demo_key()).c_str());
}

std::string breaker_line(const routing::BreakerChange& change) {
  std::string line = "breaker of provider \"" + std::string(change.provider) + "\", model \"" +
                     std::string(change.model) + "\"";
  if (change.reason.empty()) return line + " closes: calls go there again";
  return line + " opens for " + config::to_text(change.open_for) + ": " +
         std::string(change.reason);
}

}  // namespace

int serve(const ServeOptions& options) {
  std::signal(SIGPIPE, SIG_IGN);
  raise_descriptor_limit();
  Reloader reloader(options.config, [&options](config::Config& config) {
    if (options.listen) config.listen.http = *options.listen;
  });
  const Reloader::Report first = reloader.load_first();
  print_lines(first.problems);
  if (!first.ok) return 1;

  const config::Config& config = reloader.plan()->config;
  auto log = Log::open(config.log);
  if (!log) return give_up(log.error());
  AccessLog access_log(config.log.access);
  if (auto started = access_log.start(); !started) return give_up(started.error());
  for (const std::string& note : first.notes)
    (*log)->warn(note);

  auto vault = Vault::open(config, **log);
  if (!vault) return give_up(vault.error());
  routing::HealthRegistry health(
      [&log](const routing::BreakerChange& change) { (*log)->warn(breaker_line(change)); });
  reloader.prepare_with([&vault, &health](Plan& plan) {
    (*vault)->prepare(plan);
    health.attach(plan.routes, std::chrono::steady_clock::now());
  });

  Server server(**log, access_log, reloader, **vault, health);
  if (auto opened = server.open(); !opened) return give_up(opened.error());
  print_demo_key(config);
  server.run();
  return 0;
}

}  // namespace tollgate::app
