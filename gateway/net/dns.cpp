#include "gateway/net/dns.hpp"

#include <algorithm>

#include "gateway/net/asio_task.hpp"

namespace tollgate::net {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr std::chrono::seconds ttl_min = 5s;    // a TTL of 0, and /etc/hosts, which has none
constexpr std::chrono::seconds ttl_max = 300s;  // a moved provider is found within minutes
constexpr std::chrono::seconds failure_ttl = 1s;
constexpr std::chrono::seconds retry_pause = 10s;  // while old addresses serve in its stead
constexpr std::chrono::seconds stale_max = 600s;   // how long they do while the name server is away
constexpr std::chrono::seconds overlap = 30s;      // they also serve while a renewal is under way
constexpr std::size_t names_max = 4096;

SteadyTime now() { return std::chrono::steady_clock::now(); }

}  // namespace

Resolver::Resolver(asio::io_context& io, std::unique_ptr<DnsSource> source)
    : io_(io), source_(std::move(source)) {}

std::shared_ptr<Resolver::Name> Resolver::name_of(const std::string& host) {
  const auto found = names_.find(host);
  if (found != names_.end()) return found->second;
  if (names_.size() >= names_max) {
    std::erase_if(names_, [](const auto& entry) { return !entry.second->asking; });
  }
  return names_.emplace(host, std::make_shared<Name>()).first->second;
}

void Resolver::take(Name& name, const DnsAnswer& answer) {
  name.failure = answer.failure;
  if (!answer.addresses.empty()) {
    name.addresses = answer.addresses;
    name.ask_again = name.fresh_until = now() + std::clamp(answer.ttl, ttl_min, ttl_max);
    return;
  }
  if (name.failure.empty()) name.failure = "no address";
  if (now() > name.fresh_until + stale_max) name.addresses.clear();
  name.ask_again = now() + (name.addresses.empty() ? failure_ttl : retry_pause);
}

/// Whether the addresses at hand will do while the name is being asked for.
bool Resolver::usable(const Name& name) {
  if (name.addresses.empty()) return false;
  return !name.failure.empty() || now() < name.fresh_until + overlap;
}

void Resolver::ask(const std::string& host, const std::shared_ptr<Name>& name) {
  if (!source_) {
    name->failure = "the resolver has been stopped";
    return;
  }
  name->asking = true;
  source_->ask(host, [name](const DnsAnswer& answer) {
    name->asking = false;
    take(*name, answer);
    for (asio::steady_timer* waiter : name->waiters)
      waiter->cancel();
  });
}

Awaitable<std::expected<Addresses, std::string>> Resolver::resolve(std::string host,
                                                                   Patience& patience) {
  boost::system::error_code not_numeric;
  const auto numeric = asio::ip::make_address(host, not_numeric);
  if (!not_numeric) co_return Addresses{numeric};

  const std::shared_ptr<Name> name = name_of(host);
  if (!name->asking && now() >= name->ask_again) ask(host, name);
  while (name->asking && !usable(*name)) {
    if (patience.over()) co_return std::unexpected(std::string());
    asio::steady_timer woken(io_, SteadyTime::max());
    const auto place = name->waiters.insert(name->waiters.end(), &woken);
    {
      const Waking waking(patience, [&woken] { woken.cancel(); });
      co_await woken.async_wait(as_task);
    }
    name->waiters.erase(place);
  }
  if (name->addresses.empty()) co_return std::unexpected(name->failure);
  co_return name->addresses;
}

}  // namespace tollgate::net
