#include "gateway/net/http_upstream.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

#include "gateway/net/exchange.hpp"
#include "gateway/net/pause.hpp"

namespace tollgate::net {
namespace {

/// What net writes itself, whoever asks for it.
constexpr std::array<std::string_view, 8> ours{"host",
                                               "content-length",
                                               "transfer-encoding",
                                               "connection",
                                               "accept-encoding",
                                               "expect",
                                               "keep-alive",
                                               "te"};

/// Most names have a length that none of ours has.
constexpr std::uint32_t our_lengths = [] {
  std::uint32_t lengths = 0;
  for (const std::string_view name : ours)
    lengths |= 1U << name.size();
  return lengths;
}();

bool is_ours(std::string_view name) {
  if (name.size() >= 32 || (our_lengths >> name.size() & 1U) == 0) return false;
  return std::ranges::any_of(ours, [name](std::string_view own) {
    return own.size() == name.size() && iequals(own, name);
  });
}

bool is_user_agent(std::string_view name) {
  constexpr std::string_view own = "user-agent";
  return name.size() == own.size() && iequals(name, own);
}

std::string request_head(const routing::HttpRequest& request, const Way& way,
                         std::string_view user_agent_line) {
  std::string head;
  head.reserve(512);
  head.append(request.method).append(" ").append(way.before_target);
  head.append(request.target).append(" HTTP/1.1\r\n").append(way.host_line);
  bool named = false;
  for (const auto& [name, value] : request.headers) {
    if (is_ours(name)) continue;
    append_header(head, name, value);
    named = named || is_user_agent(name);
  }
  if (!named) head += user_agent_line;
  head += way.proxy_line;
  constexpr std::string_view name = "content-length: ";
  constexpr std::string_view last =
      "\r\naccept-encoding: identity\r\nconnection: keep-alive\r\n\r\n";
  std::array<char, name.size() + 20 + last.size()> lines;
  char* at = lines.data();
  const bool sized = !request.body.empty() || request.method == "POST";
  if (sized) {
    at = std::copy(name.begin(), name.end(), at);
    at = std::to_chars(at, lines.data() + lines.size(), request.body.size()).ptr;
  }
  const std::string_view rest = sized ? last : last.substr(2);
  at = std::copy(rest.begin(), rest.end(), at);
  head.append(lines.data(), at);
  return head;
}

}  // namespace

Awaitable<Result<void>> HttpUpstream::pause(SteadyTime until, AbortSlot& slot) {
  return net::pause(connector_.parts().io, until, slot);
}

HttpUpstream::HttpUpstream(const UpstreamParts& parts, HttpUpstreamSettings settings)
    : connector_(parts), pool_(parts.deadlines, settings.pool, parts.stats) {
  append_header(user_agent_line_, "user-agent", settings.user_agent);
}

/// The entry's address may be that of an earlier plan's, freed since: what it says is compared.
std::shared_ptr<const Way> HttpUpstream::way_to(const routing::ProviderEntry& provider) {
  constexpr std::size_t ways_max = 1024;
  if (const auto found = ways_.find(&provider); found != ways_.end()) {
    if (found->second->leads_to(provider)) return found->second;
  }
  if (ways_.size() >= ways_max) ways_.clear();
  const routing::Address& address = provider.address;
  auto way = std::make_shared<const Way>(
      provider, connector_.parts().proxies.for_host(address.tls, address.host, address.port));
  ways_[&provider] = way;
  return way;
}

Awaitable<Result<std::unique_ptr<routing::UpstreamReply>>> HttpUpstream::send(
    const routing::UpstreamRequest& request) {
  std::shared_ptr<const Way> way = way_to(request.provider);
  std::string head = request_head(request.http, *way, user_agent_line_);
  auto exchange =
      std::make_unique<Exchange>(pool_, connector_, request, std::move(way), std::move(head));
  const auto begun = co_await exchange->begin();
  if (!begun) co_return std::unexpected(begun.error());
  co_return exchange;
}

}  // namespace tollgate::net
