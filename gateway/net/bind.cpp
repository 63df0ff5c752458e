#include "gateway/net/bind.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <cerrno>
#include <cstring>
#include <netdb.h>
#include <sys/socket.h>

namespace tollgate::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

std::string text(const tcp::endpoint& where) {
  const std::string host = where.address().to_string();
  const std::string port = std::to_string(where.port());
  return where.address().is_v6() ? "[" + host + "]:" + port : host + ":" + port;
}

std::string explain(const tcp::endpoint& where, const error_code& error) {
  switch (error.value()) {
    case EADDRINUSE:
      return text(where) + " is in use by another process; stop it, or listen elsewhere";
    case EACCES:
    case EPERM:
      return "no permission to listen on " + text(where) +
             "; ports below 1024 need root or CAP_NET_BIND_SERVICE";
    case EADDRNOTAVAIL:
      return "cannot listen on " + text(where) + ": this machine has no such address";
    default:
      return "cannot listen on " + text(where) + ": " + error.message();
  }
}

/// Opens and binds; what failed stays in `error`.
tcp::acceptor bound(asio::io_context& io, const tcp::endpoint& where, Sharing sharing,
                    error_code& error) {
  tcp::acceptor acceptor(io);
  acceptor.open(where.protocol(), error);
  // Else what a crash left in TIME_WAIT refuses the restart.
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error && sharing == Sharing::reuse_port) acceptor.set_option(ReusePort(true), error);
  // `[::]` serves IPv4 too, whatever the system's default says.
  if (!error && where.protocol() == tcp::v6()) {
    acceptor.set_option(asio::ip::v6_only(false), error);
  }
  if (!error) acceptor.bind(where, error);
  return acceptor;
}

/// An empty host means every address, IPv6 included where there is any.
tcp::endpoint any_address(asio::io_context& io, std::uint16_t port) {
  error_code error;
  const tcp::endpoint all(tcp::v6(), port);
  const tcp::acceptor acceptor = bound(io, {tcp::v6(), 0}, Sharing::alone, error);
  return error ? tcp::endpoint(tcp::v4(), port) : all;
}

Result<tcp::endpoint> resolve(asio::io_context& io, const config::HostPort& where) {
  if (where.host.empty()) return any_address(io, where.port);
  std::string host = where.host;
  if (host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  error_code no_address;
  const auto address = asio::ip::make_address(host, no_address);
  if (!no_address) return tcp::endpoint(address, where.port);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int failed = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (failed != 0) {
    return fail(ErrorKind::internal,
                "cannot listen on " + host + ": " + std::string(::gai_strerror(failed)));
  }
  tcp::endpoint endpoint;
  std::memcpy(endpoint.data(), found->ai_addr, found->ai_addrlen);
  endpoint.port(where.port);
  ::freeaddrinfo(found);
  return endpoint;
}

}  // namespace

Result<tcp::endpoint> probe(const config::HostPort& where) {
  asio::io_context io(1);
  auto endpoint = resolve(io, where);
  if (!endpoint) return std::unexpected(endpoint.error());
  error_code error;
  const tcp::acceptor acceptor = bound(io, *endpoint, Sharing::alone, error);
  if (error) return fail(ErrorKind::internal, explain(*endpoint, error));
  return acceptor.local_endpoint();
}

Result<tcp::acceptor> listen_at(asio::io_context& io, const tcp::endpoint& where, Sharing sharing) {
  error_code error;
  tcp::acceptor acceptor = bound(io, where, sharing, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return fail(ErrorKind::internal, explain(where, error));
  return acceptor;
}

}  // namespace tollgate::net
