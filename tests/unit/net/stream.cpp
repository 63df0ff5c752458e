// Streams and descriptors on loopback sockets: no edge is lost, no wait outlives its socket badly.
#include <sys/socket.h>

#include "client_support.hpp"

using namespace tollgate;
using namespace tollgate::net;
using namespace tollgate::net::test;
using Direction = Descriptor::Direction;

namespace {

/// Two ends of one connection: a stream under test and a plain socket that blocks.
struct Pair {
  explicit Pair(asio::io_context& io) : far(io) {
    tcp::acceptor acceptor(io, {asio::ip::address_v4::loopback(), 0});
    tcp::socket socket(io);
    socket.connect(acceptor.local_endpoint());
    far = acceptor.accept();
    near = plain_stream(std::move(socket));
  }
  void say(std::string_view text) { far.send(asio::buffer(text.data(), text.size())); }
  void end() { far.shutdown(tcp::socket::shutdown_send); }

  tcp::socket far;
  std::unique_ptr<Stream> near;
};

/// Reads to the end; the status that ended it.
Awaitable<IoStatus> read_all(Stream& stream, std::string& into) {
  std::array<char, 8> piece;
  for (;;) {
    const IoResult got = co_await stream.read_some(piece);
    if (got.status != IoStatus::ok) co_return got.status;
    into.append(piece.data(), got.bytes);
  }
}

void turn(asio::io_context& io) {
  io.restart();
  io.poll();
}

}  // namespace

TEST_CASE(
    "bytes and the end behind them: neither is lost, in whatever order they meet the reader") {
  asio::io_context io{1};
  for (int i = 0; i < 2000; ++i) {
    CAPTURE(i);
    Pair pair(io);
    std::string text;
    std::optional<IoStatus> ended;
    auto read = [&] {
      spawn(io, read_all(*pair.near, text),
            [&](const std::exception_ptr&, IoStatus status) { ended = status; });
    };
    // Steps in every order; a turn of the loop may come between any two of them.
    const bool first = (i & 1) != 0;
    if (first) read();
    if ((i & 2) != 0) turn(io);
    pair.say((i & 4) != 0 ? "12345678" : "123");
    if ((i & 8) != 0) turn(io);
    if ((i & 16) != 0) pair.say("more");
    pair.end();
    if (!first) read();
    const auto end = std::chrono::steady_clock::now() + 5s;
    io.restart();
    while (!ended && std::chrono::steady_clock::now() < end)
      io.run_one_for(100ms);
    REQUIRE(ended);
    CHECK(*ended == IoStatus::eof);
    CHECK(text.size() == ((i & 4) != 0 ? 8U : 3U) + ((i & 16) != 0 ? 4U : 0U));
  }
}

TEST_CASE("what the reactor keeps of a connection that was reset says nothing of the next one") {
  asio::io_context io{1};
  constexpr std::size_t some = 8;
  const auto reading = [&](Pair& pair, std::string& text) {
    spawn(io, read_all(*pair.near, text), [](const std::exception_ptr&, IoStatus) {});
  };
  std::array<std::string, some> texts;
  {
    std::vector<Pair> pairs;
    for (std::size_t i = 0; i < some; ++i)
      reading(pairs.emplace_back(io), texts[i]);
    turn(io);
    for (Pair& pair : pairs) {
      pair.far.set_option(asio::socket_base::linger(true, 0));
      pair.far.close();
    }
    turn(io);
  }
  std::vector<Pair> pairs;
  for (std::size_t i = 0; i < some; ++i)
    reading(pairs.emplace_back(io), texts[i]);
  io.restart();
  std::size_t steps = 0;
  while (steps < 100 * some && io.poll_one() > 0)
    ++steps;
  CHECK(steps < 100 * some);  // all wait: nothing tries again and again
}

TEST_CASE("a woken read says so at once, and what comes later is read") {
  asio::io_context io{1};
  Pair pair(io);
  std::array<char, 8> piece;
  std::vector<IoResult> results;
  auto reads = [&]() -> Awaitable<void> {
    for (int i = 0; i < 3; ++i)
      results.push_back(co_await pair.near->read_some(piece));
  };
  spawn(io, reads(), ignore);
  turn(io);
  pair.near->wake_read();
  turn(io);
  REQUIRE(results.size() == 1);
  CHECK(results[0].status == IoStatus::woken);
  // Woken when it was ready already: the bytes stay for the next one.
  pair.say("ab");
  pair.near->wake_read();
  turn(io);
  turn(io);
  REQUIRE(results.size() == 3);
  CHECK(results[1].status == IoStatus::woken);
  CHECK(results[2].bytes == 2);
}

TEST_CASE("reader and writer waiting for the same direction are both told") {
  asio::io_context io{1};
  Pair pair(io);
  Descriptor& descriptor = pair.near->descriptor();
  int told = 0;
  auto wait = [&](Descriptor::Party& party) -> Awaitable<void> {
    co_await party.ready(Direction::read);
    ++told;
  };
  spawn(io, wait(descriptor.reader()), ignore);
  turn(io);
  CHECK(told == 1);  // at once: nothing was known yet
  spawn(io, wait(descriptor.reader()), ignore);
  spawn(io, wait(descriptor.writer()), ignore);
  turn(io);
  CHECK(told == 1);
  pair.say("x");
  turn(io);
  CHECK(told == 3);
}

TEST_CASE("an armed wait with nobody there: silence, then not; it may go with its socket") {
  asio::io_context io{1};
  Pair pair(io);
  std::array<char, 8> piece;
  std::size_t bytes = 0;
  auto read = [&]() -> Awaitable<void> { bytes += (co_await pair.near->read_some(piece)).bytes; };
  pair.say("reply");
  spawn(io, read(), ignore);
  turn(io);
  REQUIRE(bytes == 5);
  pair.near->watch_silence();
  turn(io);
  CHECK(pair.near->is_silent(false));
  CHECK(pair.near->is_silent(true));
  // The next reader joins the wait.
  spawn(io, read(), ignore);
  pair.say("ab");
  turn(io);
  CHECK(bytes == 7);
  pair.near->watch_silence();
  turn(io);
  pair.say("unasked");
  CHECK_FALSE(pair.near->is_silent(true));
  turn(io);
  CHECK_FALSE(pair.near->is_silent(false));
  Pair other(io);
  other.say("x");
  spawn(
      io,
      [](Stream& stream, std::array<char, 8>& into) -> Awaitable<void> {
        co_await stream.read_some(into);
      }(*other.near, piece),
      ignore);
  turn(io);
  other.near->watch_silence();
  other.near.reset();  // its wait is still in the reactor
  turn(io);
}

TEST_CASE("an alarm rings once for what can be read, and not when it is gone") {
  asio::io_context io{1};
  Pair pair(io);
  int rung = 0;
  {
    const Descriptor::Alarm gone(pair.near->descriptor(), [&] { ++rung; });
  }
  pair.say("x");
  turn(io);
  CHECK(rung == 0);
  {
    const Descriptor::Alarm alarm(pair.near->descriptor(), [&] { ++rung; });
    turn(io);
    CHECK(rung == 1);
  }
  std::string text;
  spawn(io, read_all(*pair.near, text), [](const std::exception_ptr&, IoStatus) {});
  turn(io);
  CHECK(text == "x");  // what rang is not lost for the reader
}

TEST_CASE("a loop that ends destroys the chains that wait on its sockets, once") {
  const auto held = std::make_shared<int>(1);
  {
    asio::io_context io{1};
    auto wait = [](asio::io_context& on, std::shared_ptr<int>) -> Awaitable<void> {
      Pair pair(on);
      std::array<char, 8> piece;
      co_await pair.near->read_some(piece);
    };
    auto sleep = [](asio::io_context& on, std::shared_ptr<int>) -> Awaitable<void> {
      asio::steady_timer timer(on, 1h);
      co_await timer.async_wait(as_task);
    };
    spawn(io, wait(io, held), ignore);
    spawn(io, sleep(io, held), ignore);
    turn(io);
    CHECK(held.use_count() == 3);
  }
  CHECK(held.use_count() == 1);
}
