#include "gateway/app/prober.hpp"

#include <algorithm>

#include "routing/health_registry.hpp"
#include "routing/provider.hpp"

namespace tollgate::app {
namespace {

constexpr auto answer_time = std::chrono::seconds(10);

/// Who would learn something.
std::vector<std::shared_ptr<routing::TargetHealth>> curious(const Plan& plan,
                                                            const std::string& provider,
                                                            SteadyTime now) {
  std::vector<std::shared_ptr<routing::TargetHealth>> found;
  for (const auto& route : plan.routes.routes()) {
    for (std::size_t i = 0; i < route->targets.size(); ++i) {
      if (route->targets[i].provider->name != provider) continue;
      for (auto& health : routing::healths_of(*route, i)) {
        if (health->wants_probe(now) && std::ranges::find(found, health) == found.end()) {
          found.push_back(std::move(health));
        }
      }
    }
  }
  return found;
}

/// A server that refuses the path still lives; one that refuses the key or the pace does not serve.
bool alive(int status) {
  return status < 500 && status != 401 && status != 402 && status != 403 && status != 429;
}

}  // namespace

std::vector<std::shared_ptr<Probe>> Prober::due(const Plan& plan, SteadyTime now) {
  std::vector<std::shared_ptr<Probe>> probes;
  for (const auto& [name, provider] : plan.providers) {
    if (provider->probe.count() == 0) continue;
    auto& next = next_.try_emplace(name, now + provider->probe).first->second;
    next = std::min(next, now + provider->probe);  // a reload may have made it shorter
    if (now < next) continue;
    next = now + provider->probe;
    auto targets = curious(plan, name, now);
    if (targets.empty()) continue;
    const std::string_view key =
        provider->api_keys.empty() ? std::string_view{} : provider->api_keys.front();
    auto request = provider->codec->probe(*provider, key);
    if (!request) continue;
    for (const auto& [header, value] : provider->headers)
      request->headers.add(header, value);
    auto probe = std::make_shared<Probe>();
    probe->provider = provider;
    probe->request = std::move(*request);
    probe->targets = std::move(targets);
    probes.push_back(std::move(probe));
  }
  return probes;
}

Awaitable<void> send_probe(std::shared_ptr<Probe> probe, routing::Upstream& upstream, Log& log) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + answer_time;
  auto sent =
      co_await upstream.send({*probe->provider, probe->request, false, deadline, probe->slot});
  bool lives = false;
  if (sent) {
    auto head = co_await (*sent)->await_head(deadline);
    lives = head && *head && alive((*sent)->head().status);
  }
  const SteadyTime now = std::chrono::steady_clock::now();
  for (const auto& target : probe->targets) {
    if (!target->probed(lives, now)) continue;
    log.info("provider \"" + target->provider() + "\" answers again: calls for \"" +
             target->model() + "\" go there");
  }
}

}  // namespace tollgate::app
