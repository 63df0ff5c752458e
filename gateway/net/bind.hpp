// Where to listen: from `host:port` as configured to a bound, listening acceptor, with errors that
// an operator can act on. Used by Listener and AdminServer and once at start; any thread.
#pragma once
#include <boost/asio/ip/tcp.hpp>

#include "config/config.hpp"
#include "gateway/core/error.hpp"

namespace tollgate::net {

/// Resolves `where` and makes sure that nobody listens there yet, another Tollgate included: with
/// SO_REUSEPORT alone a second process would silently take half of the connections. Port 0 becomes
/// a free port. Blocks for as long as a host name takes. Errors: internal, one sentence.
[[nodiscard]] Result<boost::asio::ip::tcp::endpoint> probe(const config::HostPort& where);

enum class Sharing : std::uint8_t { alone, reuse_port };

/// A listening acceptor at `where`. Errors: internal, one sentence.
[[nodiscard]] Result<boost::asio::ip::tcp::acceptor> listen_at(
    boost::asio::io_context& io, const boost::asio::ip::tcp::endpoint& where, Sharing sharing);

}  // namespace tollgate::net
