// dial: a TCP connection to the first of several addresses that takes it. The next address is tried
// too when one has not answered for a quarter of a second, so that a dead IPv6 route costs no more.
// Used by the connector on its worker's thread.
#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "gateway/net/dns.hpp"

namespace tollgate::net {

/// Error: every address failed (the last one's error), or operation_aborted when `patience` was
/// over first. The socket has TCP_NODELAY.
Awaitable<std::expected<boost::asio::ip::tcp::socket, boost::system::error_code>> dial(
    boost::asio::io_context& io, const Addresses& addresses, std::uint16_t port,
    Patience& patience);

}  // namespace tollgate::net
