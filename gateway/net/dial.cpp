#include "gateway/net/dial.hpp"

#include <boost/asio/steady_timer.hpp>

#include "gateway/net/asio_task.hpp"

namespace tollgate::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::chrono::milliseconds stagger{250};

/// The race of one dial; handlers of the losers outlive it.
struct Race {
  explicit Race(asio::io_context& io) : changed(io) {}
  asio::steady_timer changed;
  std::vector<std::unique_ptr<tcp::socket>> sockets;
  std::size_t lost = 0;
  tcp::socket* winner = nullptr;
  error_code last;
  bool over = false;

  void finish() {
    over = true;
    for (const auto& socket : sockets) {
      error_code ignored;
      if (socket.get() != winner) socket->close(ignored);
    }
  }
};

void start(const std::shared_ptr<Race>& race, asio::io_context& io, const tcp::endpoint& to) {
  race->sockets.push_back(std::make_unique<tcp::socket>(io));
  tcp::socket* socket = race->sockets.back().get();
  socket->async_connect(to, [race, socket](error_code failed) {
    if (race->over) return;
    if (!failed && race->winner == nullptr) race->winner = socket;
    if (failed) {
      ++race->lost;
      race->last = failed;
    }
    race->changed.cancel();
  });
}

}  // namespace

Awaitable<std::expected<tcp::socket, error_code>> dial(asio::io_context& io,
                                                       const Addresses& addresses,
                                                       std::uint16_t port, Patience& patience) {
  const auto race = std::make_shared<Race>(io);
  const Waking waking(patience, [&race] { race->changed.cancel(); });
  std::size_t begun = 0;
  bool next = true;
  while (race->winner == nullptr && !patience.over()) {
    if (race->lost == addresses.size()) break;
    if (next && begun < addresses.size()) start(race, io, {addresses[begun++], port});
    race->changed.expires_at(begun < addresses.size() ? std::chrono::steady_clock::now() + stagger
                                                      : SteadyTime::max());
    const std::size_t lost_before = race->lost;
    auto [cancelled] = co_await race->changed.async_wait(as_task);
    next = !cancelled || race->lost > lost_before;
  }
  race->finish();
  if (race->winner == nullptr) {
    if (patience.over() || !race->last) co_return std::unexpected(asio::error::operation_aborted);
    co_return std::unexpected(race->last);
  }
  error_code ignored;
  race->winner->set_option(tcp::no_delay(true), ignored);
  // A whole reply may be ten silent minutes away; a peer that vanished must not look like that.
  race->winner->set_option(asio::socket_base::keep_alive(true), ignored);
  co_return std::move(*race->winner);
}

}  // namespace tollgate::net
