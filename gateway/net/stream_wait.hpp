// StreamWait: one party's wait on a socket, which `wake` ends alone. A socket-wide cancel would end
// the other direction's wait too; Asio's cancellation of one operation does not, and what was
// cancelled has consumed nothing. Used by the streams of this folder, on their thread.
#pragma once
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "gateway/net/stream.hpp"

namespace tollgate::net {

class StreamWait {
 public:
  /// The completion token for one operation of this party.
  auto token() {
    namespace asio = boost::asio;
    return asio::bind_cancellation_slot(signal_.slot(), asio::as_tuple(asio::use_awaitable));
  }
  /// Waits until `socket` is ready for `what`.
  Awaitable<boost::system::error_code> ready(boost::asio::ip::tcp::socket& socket,
                                             boost::asio::socket_base::wait_type what) {
    auto [error] = co_await socket.async_wait(what, token());
    co_return error;
  }
  void wake() noexcept { signal_.emit(boost::asio::cancellation_type::total); }

 private:
  boost::asio::cancellation_signal signal_;
};

/// The result of an operation that ended with `error`: an aborted one on an open socket was woken.
[[nodiscard]] inline IoResult io_failure(const boost::asio::ip::tcp::socket& socket,
                                         boost::system::error_code error, std::size_t bytes = 0) {
  const bool woken = error == boost::asio::error::operation_aborted && socket.is_open();
  return {woken ? IoStatus::woken : IoStatus::failed, bytes, error};
}

}  // namespace tollgate::net
