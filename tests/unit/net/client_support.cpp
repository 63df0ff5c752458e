#include "client_support.hpp"

#include <charconv>

#include "tests/unit/net/run_work.hpp"

namespace tollgate::net::test {
namespace {

asio::io_context* running = nullptr;

}  // namespace

asio::io_context& test_loop() { return *running; }

Client::Client(UpstreamShared* shared) {
  auto fake = std::make_unique<FakeNames>();
  names = fake.get();
  upstreams = std::make_unique<Upstreams>(io, deadlines, shared != nullptr ? *shared : own_shared,
                                          std::move(fake));
}

void Client::run(Awaitable<void> work) {
  running = &io;
  run_work(io, std::move(work), 20s);
}

routing::ProviderEntry provider_at(std::uint16_t port, bool tls, std::string host) {
  routing::ProviderEntry entry;
  entry.name = "acme";
  entry.kind = "openai";
  entry.address.tls = tls;
  entry.address.host = std::move(host);
  entry.address.port = port;
  entry.timeouts = {.connect = 5s, .first_byte = 10s, .idle = 10s};
  return entry;
}

Awaitable<Seen> exchange(Client& client, const routing::ProviderEntry& provider, Ask ask,
                         AbortSlot& slot) {
  routing::HttpRequest http;
  http.target = ask.path;
  http.headers = ask.headers;
  http.body.view(ask.body);
  Seen seen;
  auto reply = co_await client.upstreams->send({provider, http, ask.stream, ask.deadline, slot});
  if (!reply) {
    seen.error = reply.error();
    co_return seen;
  }
  const auto limit = [&] {
    return ask.patience == 0ms ? never : std::chrono::steady_clock::now() + ask.patience;
  };
  for (;;) {
    const auto head = co_await (*reply)->await_head(limit());
    if (!head) seen.error = head.error();
    if (!head) co_return seen;
    if (*head) break;
    ++seen.timeouts;
  }
  seen.status = (*reply)->head().status;
  seen.reused = (*reply)->times().reused;
  for (;;) {
    auto step = co_await (*reply)->read(limit());
    if (!step) seen.error = step.error();
    if (!step || step->what == routing::ReadStep::What::end) co_return seen;
    if (step->what == routing::ReadStep::What::timeout) ++seen.timeouts;
    seen.body += step->bytes;
  }
}

Awaitable<Seen> exchange(Client& client, const routing::ProviderEntry& provider, Ask ask) {
  AbortSlot slot;
  co_return co_await exchange(client, provider, std::move(ask), slot);
}

Seen ask(Client& client, const routing::ProviderEntry& provider, Ask how) {
  Seen seen;
  client.run([&]() -> Awaitable<void> { seen = co_await exchange(client, provider, how); }());
  return seen;
}

Awaitable<std::string> Talk::request() {
  std::array<char, 16384> piece;
  for (;;) {
    const std::size_t head = buffer.find("\r\n\r\n");
    if (head != std::string::npos) {
      std::size_t length = 0;
      const std::size_t at = buffer.find("content-length: ");
      if (at < head) std::from_chars(buffer.data() + at + 16, buffer.data() + head, length);
      if (buffer.size() >= head + 4 + length) {
        std::string whole = buffer.substr(0, head + 4 + length);
        buffer.erase(0, whole.size());
        co_return whole;
      }
    }
    const IoResult got = co_await stream->read_some(piece);
    if (got.status != IoStatus::ok) co_return std::string();
    buffer.append(piece.data(), got.bytes);
  }
}

Awaitable<void> Talk::say(std::string text) {
  const std::array<std::string_view, 1> parts{text};
  co_await stream->write_all(parts);
}

Awaitable<void> Talk::wait_closed() {
  std::array<char, 16384> piece;
  while ((co_await stream->read_some(piece)).status == IoStatus::ok) {
  }
}

void Talk::reset() { stream->reset(); }

Server::Server(asio::io_context& io, Script script, SslContext tls)
    : state_(std::make_shared<State>(io)) {
  state_->script = std::move(script);
  state_->tls = std::move(tls);
  state_->acceptor.open(tcp::v4());
  state_->acceptor.bind({asio::ip::address_v4::loopback(), 0});
  state_->acceptor.listen();
  port_ = state_->acceptor.local_endpoint().port();
  spawn(io, accept(state_), ignore);
}

Server::~Server() {
  boost::system::error_code ignored;
  state_->acceptor.close(ignored);
}

Awaitable<void> Server::accept(std::shared_ptr<State> state) {
  for (;;) {
    auto [failed, socket] = co_await state->acceptor.async_accept(as_task);
    if (failed) co_return;
    spawn(state->io, serve(state, std::move(socket), ++state->accepted), ignore);
  }
}

Awaitable<void> Server::serve(std::shared_ptr<State> state, tcp::socket socket, int number) {
  Talk talk;
  talk.number = number;
  if (state->tls) {
    auto stream = tls_server_stream(std::make_unique<Descriptor>(std::move(socket)), state->tls);
    const IoResult shaken = co_await stream->handshake();
    talk.stream = std::move(stream);
    if (shaken.status != IoStatus::ok) {
      ++state->ended;
      co_return;
    }
  } else {
    talk.stream = plain_stream(std::move(socket));
  }
  co_await state->script(talk);
  ++state->ended;
}

std::string sized(std::string_view body, std::string_view more_headers, std::string_view status) {
  std::string reply = "HTTP/1.1 ";
  reply.append(status).append("\r\ncontent-length: ").append(std::to_string(body.size()));
  return reply.append("\r\n").append(more_headers).append("\r\n").append(body);
}

Awaitable<bool> until(std::function<bool()> condition) {
  asio::steady_timer turn(test_loop());
  const auto end = std::chrono::steady_clock::now() + 5s;
  while (!condition() && std::chrono::steady_clock::now() < end) {
    turn.expires_after(1ms);
    co_await turn.async_wait(as_task);
  }
  co_return condition();
}

}  // namespace tollgate::net::test
