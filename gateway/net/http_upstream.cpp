#include "gateway/net/http_upstream.hpp"

#include <algorithm>
#include <array>

#include "gateway/net/exchange.hpp"

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

bool is_ours(std::string_view name) {
  return std::ranges::any_of(ours, [name](std::string_view own) { return iequals(own, name); });
}

void add_line(std::string& head, std::string_view name, std::string_view value) {
  head.append(name).append(": ");
  // A line end from a file or variable must not become a header of its own.
  std::ranges::replace_copy_if(
      value, std::back_inserter(head), [](char c) { return c == '\r' || c == '\n' || c == '\0'; },
      ' ');
  head += "\r\n";
}

std::string request_head(const routing::Address& address, const routing::HttpRequest& request,
                         const Proxy* proxy, const std::string& user_agent) {
  const std::string authority = address.authority();
  const bool absolute = proxy != nullptr && !address.tls;
  std::string head;
  head.reserve(1024);
  head.append(request.method).append(" ");
  if (absolute) head.append("http://").append(authority);
  head.append(request.target).append(" HTTP/1.1\r\n");
  add_line(head, "host", authority);
  bool named = false;
  for (const auto& [name, value] : request.headers) {
    if (is_ours(name)) continue;
    add_line(head, name, value);
    named = named || iequals(name, "user-agent");
  }
  if (!named) add_line(head, "user-agent", user_agent);
  if (absolute && !proxy->authorization.empty()) {
    add_line(head, "proxy-authorization", proxy->authorization);
  }
  if (!request.body.empty() || request.method == "POST") {
    add_line(head, "content-length", std::to_string(request.body.size()));
  }
  head += "accept-encoding: identity\r\nconnection: keep-alive\r\n\r\n";
  return head;
}

}  // namespace

HttpUpstream::HttpUpstream(const UpstreamParts& parts, HttpUpstreamSettings settings)
    : user_agent_(std::move(settings.user_agent)),
      connector_(parts),
      pool_(parts.deadlines, settings.pool, parts.stats) {}

Awaitable<Result<std::unique_ptr<routing::UpstreamReply>>> HttpUpstream::send(
    const routing::UpstreamRequest& request) {
  const routing::Address& address = request.provider.address;
  const Proxy* proxy = connector_.parts().proxies.for_host(address.tls, address.host, address.port);
  auto exchange = std::make_unique<Exchange>(
      pool_, connector_, request, proxy, request_head(address, request.http, proxy, user_agent_));
  const auto begun = co_await exchange->begin();
  if (!begun) co_return std::unexpected(begun.error());
  co_return exchange;
}

}  // namespace tollgate::net
