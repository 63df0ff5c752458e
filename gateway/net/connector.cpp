#include "gateway/net/connector.hpp"

#include <array>

#include "gateway/net/dial.hpp"
#include "gateway/wire/http_head.hpp"

namespace tollgate::net {
namespace {

constexpr std::string_view connecting = "connecting";

/// The error of a stage that failed: the reason to give up, where there is one, else the fault.
std::unexpected<Error> broken(const Destination& to, const Patience& patience,
                              std::string_view message, std::string detail) {
  if (patience.over()) return std::unexpected(patience.why(to.provider.name, connecting));
  return std::unexpected(
      upstream_failure(ErrorKind::upstream_error, to.provider.name, message, std::move(detail)));
}

std::string place(const std::string& host, std::uint16_t port) {
  return host + ":" + std::to_string(port);
}

/// Host and port as CONNECT wants them: the port always written.
std::string full_authority(const routing::Address& address) {
  const bool v6 = address.host.find(':') != std::string::npos;
  return place(v6 ? "[" + address.host + "]" : address.host, address.port);
}

std::string connect_request(const Destination& to) {
  const std::string authority = full_authority(to.address());
  std::string request = "CONNECT " + authority + " HTTP/1.1\r\nhost: " + authority + "\r\n";
  if (!to.proxy->authorization.empty()) {
    request += "proxy-authorization: " + to.proxy->authorization + "\r\n";
  }
  return request + "\r\n";
}

}  // namespace

void Destination::write_key(std::string& into) const {
  into.assign(address().tls ? "s" : "p").append(provider.tls.verify ? "v|" : "-|");
  into.append(address().host).append("|").append(std::to_string(address().port));
  into.append("|").append(provider.tls.ca_file);
  if (proxy == nullptr) return;
  into.append("|").append(proxy->host).append(":").append(std::to_string(proxy->port));
}

Awaitable<Result<std::unique_ptr<UpstreamConnection>>> Connector::connect(Destination to,
                                                                          std::string key,
                                                                          Patience& patience) {
  auto connection = std::make_unique<UpstreamConnection>(std::move(key), parts_.stats);
  auto stream = co_await reach(to, patience);
  if (stream && to.address().tls) stream = co_await secure(to, std::move(*stream), patience);
  if (!stream) {
    UpstreamStats::add(parts_.stats.connect_failures);
    co_return std::unexpected(stream.error());
  }
  UpstreamStats::add(parts_.stats.connects);
  connection->stream = std::move(*stream);
  co_return connection;
}

/// TCP to the provider or its proxy, and through the proxy where TLS follows.
Awaitable<Result<std::unique_ptr<Stream>>> Connector::reach(Destination to, Patience& patience) {
  const std::string& host = to.proxy != nullptr ? to.proxy->host : to.address().host;
  const std::uint16_t port = to.proxy != nullptr ? to.proxy->port : to.address().port;
  auto addresses = co_await parts_.resolver.resolve(host, patience);
  if (!addresses) {
    if (!patience.over()) UpstreamStats::add(parts_.stats.dns_failures);
    co_return broken(to, patience, "its name could not be resolved",
                     host + ": " + addresses.error());
  }
  auto socket = co_await dial(parts_.io, *addresses, port, patience);
  if (!socket) {
    co_return broken(to, patience, "the connection failed",
                     place(host, port) + ": " + socket.error().message());
  }
  auto stream = plain_stream(std::move(*socket));
  if (to.proxy != nullptr && to.address().tls) {
    auto through = co_await tunnel(to, *stream, patience);
    if (!through) co_return std::unexpected(through.error());
  }
  co_return stream;
}

Awaitable<Result<void>> Connector::tunnel(Destination to, Stream& stream, Patience& patience) {
  const Waking waking(patience, [&stream] {
    stream.wake_read();
    stream.wake_write();
  });
  const std::string request = connect_request(to);
  const std::array<std::string_view, 1> parts{request};
  const IoResult sent = co_await stream.write_all(parts);
  std::array<char, 8192> buffer;
  std::size_t filled = 0;
  std::size_t head_bytes = 0;
  IoResult got = sent;
  while (got.status == IoStatus::ok && head_bytes == 0 && filled < buffer.size()) {
    if (patience.over()) break;
    got = co_await stream.read_some(std::span(buffer).subspan(filled));
    filled += got.status == IoStatus::ok ? got.bytes : 0;
    head_bytes = wire::head_length({buffer.data(), filled});
  }
  if (head_bytes == 0 || head_bytes != filled) {
    co_return broken(to, patience, "the proxy did not open a tunnel",
                     place(to.proxy->host, to.proxy->port) + ": " + got.error.message());
  }
  auto head = wire::parse_response_head({buffer.data(), head_bytes});
  if (head && head->status / 100 == 2) co_return Result<void>{};
  co_return broken(to, patience, "the proxy did not open a tunnel",
                   head ? "status " + std::to_string(head->status) : head.error().message);
}

Awaitable<Result<std::unique_ptr<Stream>>> Connector::secure(Destination to,
                                                             std::unique_ptr<Stream> plain,
                                                             Patience& patience) {
  auto context = parts_.tls.get(to.provider.tls);
  if (!context) {
    co_return broken(to, patience, "TLS could not be set up", context.error().message);
  }
  auto stream = tls_client_stream(plain->release(), std::move(*context), to.address().host,
                                  to.address().port);
  const Waking waking(patience, [&stream] { stream->wake_read(); });
  const IoResult done =
      patience.over() ? IoResult{IoStatus::woken, 0, {}} : co_await stream->handshake();
  if (done.status != IoStatus::ok) {
    const std::string why = stream->failure();
    co_return broken(to, patience, why.empty() ? "the TLS handshake failed" : "TLS: " + why,
                     place(to.address().host, to.address().port) + ": " +
                         (why.empty() ? done.error.message() : why));
  }
  UpstreamStats::add(parts_.stats.tls_handshakes);
  if (stream->resumed()) UpstreamStats::add(parts_.stats.tls_resumed);
  co_return stream;
}

}  // namespace tollgate::net
