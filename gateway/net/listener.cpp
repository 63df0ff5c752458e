#include "gateway/net/listener.hpp"

#include <spdlog/spdlog.h>
#include <vector>

namespace tollgate::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::chrono::milliseconds out_of_files_pause{100};
// Refusals have a session each, for a second at most; beyond this many, arrivals are just closed.
constexpr std::uint32_t refused_at_once_max = 256;

/// Errors of accept that will come again at once, as the connection is still waiting.
bool out_of_resources(const error_code& error) {
  return error == asio::error::no_descriptors || error.value() == ENFILE ||
         error == asio::error::no_buffer_space || error == asio::error::no_memory;
}

}  // namespace

Listener::Listener(asio::io_context& io, Deadlines& deadlines, Front& front, ServerShared& shared,
                   std::shared_ptr<const ServerSettings> settings, const TlsServerContext* tls)
    : host_{io,    front, deadlines, shared.budget, shared.connections, std::move(settings), {},
            false, {},    {}},
      tls_(tls),
      acceptor_(io),
      pause_(io),
      memory_return_(deadlines) {
  host_.session_ended = [this] {
    memory_return_.note(--open_);
    when_idle();
  };
}

Listener::~Listener() { host_.session_ended = nullptr; }

Result<void> Listener::open(const tcp::endpoint& where) {
  auto acceptor = listen_at(host_.io, where, Sharing::reuse_port);
  if (!acceptor) return std::unexpected(acceptor.error());
  acceptor_ = std::move(*acceptor);
  accept_next();
  return {};
}

tcp::endpoint Listener::endpoint() const {
  error_code closed;
  return acceptor_.local_endpoint(closed);
}

void Listener::accept_next() {
  accepting_ = true;
  acceptor_.async_accept(
      [this](const error_code& error, tcp::socket socket) { accepted(error, std::move(socket)); });
}

void Listener::accepted(const error_code& error, tcp::socket socket) {
  accepting_ = false;
  // What was accepted while the drain began is served too.
  if (!error) admit(std::move(socket));
  if (!acceptor_.is_open()) return when_idle();
  if (out_of_resources(error)) return pause();
  starved_ = false;
  accept_next();
}

void Listener::pause() {
  if (!std::exchange(starved_, true)) {
    spdlog::warn("no file descriptors or memory left for new connections; waiting");
  }
  pause_.expires_after(out_of_files_pause);
  pause_.async_wait([this](const error_code& stopped) {
    if (!stopped && acceptor_.is_open()) accept_next();
  });
}

void Listener::admit(tcp::socket socket) {
  if (ended_) return;
  error_code error;
  const tcp::endpoint peer = socket.remote_endpoint(error);
  if (error) return;  // gone already
  socket.set_option(tcp::no_delay(true), error);
  const bool secure = tls_ != nullptr && host_.settings->tls;
  Session::Arrival arrival{std::move(socket), peer, secure ? tls_->current() : nullptr, {}};
  if (secure && !arrival.tls) return;  // no certificate: never plain instead
  const std::uint32_t before = host_.connections.fetch_add(1, std::memory_order_relaxed);
  const std::uint32_t limit = host_.settings->limits.connections;
  if (before >= limit) {
    if (before - limit >= refused_at_once_max) {
      host_.connections.fetch_sub(1, std::memory_order_relaxed);
      return;
    }
    arrival.refusal =
        make_error(ErrorKind::overloaded, "Too many connections are open; try again shortly.");
  }
  memory_return_.note(++open_);
  Session::start(host_, std::move(arrival));
}

void Listener::apply(std::shared_ptr<const ServerSettings> settings) {
  host_.settings = std::move(settings);
}

void Listener::drain(std::function<void()> on_idle) {
  host_.draining = true;
  on_idle_ = std::move(on_idle);
  pause_.cancel();
  if (acceptor_.is_open()) empty_backlog();
  each_session([](Session& session) { session.drain(); });
  when_idle();
}

/// Closing a listening socket resets what waits in its backlog: those clients have connected, and
/// are served.
void Listener::empty_backlog() {
  error_code error;
  acceptor_.cancel(error);
  acceptor_.non_blocking(true, error);
  while (!error || error == asio::error::connection_aborted) {
    tcp::socket socket(host_.io);
    acceptor_.accept(socket, error);
    if (!error) admit(std::move(socket));
  }
  acceptor_.close(error);
}

void Listener::end(const Error& reason) {
  ended_ = true;
  each_session([&reason](Session& session) { session.end(reason); });
}

/// What happens to a session may end it, and others: all are held meanwhile.
template <class Act>
void Listener::each_session(Act act) {
  std::vector<std::shared_ptr<Session>> all;
  for (Session& session : host_.sessions) {
    if (auto held = session.weak_from_this().lock()) all.push_back(std::move(held));
  }
  for (const auto& session : all)
    act(*session);
}

bool Listener::idle() const {
  return !acceptor_.is_open() && !accepting_ && host_.sessions.empty();
}

void Listener::when_idle() {
  if (!idle()) return;
  if (auto told = std::exchange(on_idle_, nullptr)) told();
}

}  // namespace tollgate::net
