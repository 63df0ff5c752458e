#include "gateway/app/store_link.hpp"

#include <array>

#include "gateway/net/asio_task.hpp"

namespace tollgate::app {
namespace {

constexpr auto tick_every = std::chrono::seconds(1);
constexpr auto greeting_patience = std::chrono::seconds(2);
constexpr std::string_view schema = policies::RedisKeys::version;

net::RedisParts parts_of(boost::asio::io_context& io, net::Deadlines& deadlines,
                         net::Resolver& resolver, net::TlsClientContexts& tls, Log& log) {
  return {io, deadlines, resolver, tls,
          [&log](std::string_view text) { log.warn(std::string(text)); }};
}

/// The version that stands in Redis; it is ours where none did. Then it also says since when data
/// are there: the first call, which may come much later on a slow machine, is not to find them
/// lost.
Awaitable<Result<std::string>> greeting(net::RedisClient& client, policies::RedisShared& shared) {
  const std::string key = shared.terms().prefix + ":schema";
  const std::array<std::string_view, 4> put{"SET", key, schema, "NX"};
  auto written = co_await client.call(key, put);
  if (!written) co_return std::unexpected(written.error());
  const std::array<std::string_view, 2> get{"GET", key};
  auto read = co_await client.call(key, get);
  if (!read) co_return std::unexpected(read.error());
  if (read->is_error()) co_return fail(ErrorKind::store_unavailable, read->text);
  if (read->text == schema && !shared.terms().cluster) {
    const std::string marker = shared.keys().marker({});
    const std::string since = std::to_string(micros_of(shared.books_at()));
    const std::array<std::string_view, 4> mark{"SET", marker, since, "NX"};
    if (auto marked = co_await client.call(marker, mark); !marked) {
      co_return std::unexpected(marked.error());
    }
  }
  co_return read->text;
}

}  // namespace

Result<void> greet_store(StorePlace& place, Log& log) {
  boost::asio::io_context io{1};
  net::Deadlines deadlines{io};
  net::Resolver resolver{io, net::ares_source(io)};
  auto client =
      net::redis_client(parts_of(io, deadlines, resolver, place.tls, log), place.settings);
  std::optional<Result<std::string>> found;
  net::spawn(io, greeting(*client, place.shared),
             [&](const std::exception_ptr&, Result<std::string> text) {
               found = std::move(text);
               client->stop();
               resolver.stop();
               deadlines.stop();
             });
  io.run_for(greeting_patience);
  if (!found) {
    client->stop();
    io.restart();
    io.run_for(greeting_patience);
  }
  if (!found || !*found) {
    const std::string why = found ? ": " + found->error().detail : std::string{};
    log.warn("the store does not answer yet, on_error holds until it does" + why);
    return {};
  }
  if (**found == schema) return {};
  return fail(ErrorKind::internal, "the data in Redis are of version " + **found +
                                       ", this build knows version " + std::string(schema) +
                                       ": use another store.redis.prefix");
}

StoreLink::StoreLink(boost::asio::io_context& io, net::Deadlines& deadlines, StorePlace& place,
                     Log& log)
    : io_(io),
      place_(place),
      resolver_(io, net::ares_source(io)),
      client_(
          net::redis_client(parts_of(io, deadlines, resolver_, place.tls, log), place.settings)),
      store_(place.shared, client_.get()),
      timer_(io) {}

StoreLink::~StoreLink() = default;

void StoreLink::start() {
  if (!place_.looked_after.exchange(true)) store_.look_after_all();
  tick();  // the others are to hear of this worker before it has anything to lose
}

void StoreLink::stop() {
  stopped_ = true;  // a tick that is under way is the last one
  timer_.cancel();
  client_->stop();
  resolver_.stop();
}

void StoreLink::tick() {
  net::spawn(io_, store_.keep_up(), [this](const std::exception_ptr& thrown) {
    if (thrown) std::rethrow_exception(thrown);
    if (stopped_) return;
    timer_.expires_after(tick_every);
    timer_.async_wait([this](const boost::system::error_code& failed) {
      if (!failed && !stopped_) tick();
    });
  });
}

}  // namespace tollgate::app
