#include "gateway/net/admin.hpp"

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <list>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <optional>
#include <spdlog/spdlog.h>

#include "gateway/core/http.hpp"
#include "gateway/net/bind.hpp"
#include "gateway/wire/json_writer.hpp"

namespace tollgate::net {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using Request = http::request<http::string_body>;
using Response = http::response<http::string_body>;
constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

constexpr std::chrono::seconds patience{15};  // for a head, a body, a write
constexpr std::uint64_t body_bytes_max = 64 * 1024;
constexpr std::uint32_t header_bytes_max = 8 * 1024;
constexpr std::size_t connections_max = 256;

using Digest = std::array<unsigned char, SHA256_DIGEST_LENGTH>;
Digest digest(std::string_view text) {
  Digest out{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), out.data());
  return out;
}

/// Compares digests: neither the time nor the length of a guess tells anything.
bool authorized(const Request& request, std::string_view token) {
  if (token.empty()) return true;
  constexpr std::string_view scheme = "Bearer ";
  const auto given = request[http::field::authorization];
  const std::string_view value(given.data(), given.size());
  if (value.size() < scheme.size() || !iequals(value.substr(0, scheme.size()), scheme)) {
    return false;
  }
  const Digest left = digest(value.substr(scheme.size()));
  const Digest right = digest(token);
  return CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

std::string_view path_of(const Request& request) {
  const std::string_view target(request.target().data(), request.target().size());
  return target.substr(0, target.find('?'));
}

bool answers(const AdminRoute& route, std::string_view method) {
  return route.method == method || (method == "HEAD" && route.method == "GET");
}

/// Waits, without holding up others, for a handler that answers later.
asio::awaitable<AdminReply> await_reply(asio::io_context& io, const AdminRoute& route,
                                        std::string_view body) {
  struct Waiting {
    explicit Waiting(asio::io_context& context)
        : timer(context, asio::steady_timer::time_point::max()) {}
    asio::steady_timer timer;
    std::optional<AdminReply> reply;
  };
  const auto waiting = std::make_shared<Waiting>(io);
  route.handle_later(body, [&io, waiting](AdminReply reply) {
    asio::post(io, [waiting, reply = std::move(reply)]() mutable {
      waiting->reply = std::move(reply);
      waiting->timer.cancel();
    });
  });
  while (!waiting->reply)
    co_await waiting->timer.async_wait(as_result);
  co_return std::move(*waiting->reply);
}

asio::awaitable<AdminReply> call(asio::io_context& io, const AdminRoute& route,
                                 std::string_view body) {
  try {
    if (route.handle_later) co_return co_await await_reply(io, route, body);
    co_return route.handle(body);
  } catch (const std::exception& bug) {
    spdlog::error("{} {}: {}", route.method, route.path, bug.what());
    co_return admin_error(500, "internal_error", "The gateway met an error of its own.");
  }
}

asio::awaitable<AdminReply> answer(asio::io_context& io, const std::vector<AdminRoute>& routes,
                                   const Request& request, std::string& allow) {
  const std::string_view path = path_of(request);
  const std::string_view method(request.method_string().data(), request.method_string().size());
  for (const AdminRoute& route : routes) {
    if (route.path != path) continue;
    if (answers(route, method)) co_return co_await call(io, route, request.body());
    allow += (allow.empty() ? "" : ", ") + route.method;
  }
  if (allow.empty()) co_return admin_error(404, "not_found", "There is nothing at this path.");
  co_return admin_error(405, "method_not_allowed", "This path allows " + allow + ".");
}

Response respond(const Request& request, AdminReply reply) {
  Response response(static_cast<http::status>(reply.status), request.version());
  response.set(http::field::content_type, reply.content_type);
  response.set(http::field::cache_control, "no-store");
  response.set("x-content-type-options", "nosniff");
  response.keep_alive(request.keep_alive());
  response.content_length(reply.body.size());
  if (request.method() != http::verb::head) response.body() = std::move(reply.body);
  return response;
}

/// What a request that could not be read is answered with; 0: nothing, its sender has gone.
int status_of(const beast::error_code& failed) {
  if (failed == http::error::body_limit) return 413;
  if (failed == http::error::header_limit || failed == http::error::buffer_overflow) return 431;
  if (failed == http::error::end_of_stream || failed == http::error::partial_message) return 0;
  return failed.category() == make_error_code(http::error::bad_method).category() ? 400 : 0;
}

Response refusal(int status) {
  Request request;
  request.keep_alive(false);
  return respond(request, admin_error(status, "invalid_request_error",
                                      "The request is malformed or too large."));
}

}  // namespace

AdminReply admin_error(int status, std::string_view code, std::string_view message) {
  const std::string_view type = status < 500 ? "invalid_request_error" : "server_error";
  std::string body = "{\"error\":{\"message\":";
  wire::append_quoted(body, message);
  body += ",\"type\":\"";
  body += type;
  body += "\",\"param\":null,\"code\":\"";
  body += code;
  body += "\"}}\n";
  return {status, "application/json", std::move(body)};
}

/// Shared with the connections: they may end after the server was destroyed.
struct AdminServer::State : std::enable_shared_from_this<State> {
  State(asio::io_context& context, std::vector<AdminRoute> table, std::string secret)
      : io(context), routes(std::move(table)), token(std::move(secret)), acceptor(context) {}

  void accept_next();
  void stop();
  asio::awaitable<void> serve(tcp::socket socket);
  asio::awaitable<void> talk(beast::tcp_stream& stream);
  asio::awaitable<Response> judge(const Request& request);

  asio::io_context& io;
  std::vector<AdminRoute> routes;
  std::string token;
  tcp::acceptor acceptor;
  std::list<beast::tcp_stream*> open;
};

void AdminServer::State::accept_next() {
  acceptor.async_accept([self = shared_from_this()](beast::error_code error, tcp::socket socket) {
    if (!self->acceptor.is_open()) return;
    if (!error && self->open.size() < connections_max) {
      asio::co_spawn(self->io, self->serve(std::move(socket)), [self](std::exception_ptr) {});
    }
    if (!error) return self->accept_next();
    // Out of files, most likely: wait instead of asking again at once.
    auto timer = std::make_shared<asio::steady_timer>(self->io, std::chrono::milliseconds(100));
    timer->async_wait([self, timer](beast::error_code) {
      if (self->acceptor.is_open()) self->accept_next();
    });
  });
}

void AdminServer::State::stop() {
  beast::error_code ignored;
  acceptor.close(ignored);
  for (beast::tcp_stream* stream : open)
    stream->close();
}

asio::awaitable<void> AdminServer::State::serve(tcp::socket socket) {
  const auto self = shared_from_this();
  beast::tcp_stream stream(std::move(socket));
  const auto place = open.insert(open.end(), &stream);
  co_await talk(stream);
  open.erase(place);
}

asio::awaitable<void> AdminServer::State::talk(beast::tcp_stream& stream) {
  beast::flat_buffer buffer(header_bytes_max + body_bytes_max);
  for (;;) {
    http::request_parser<http::string_body> parser;
    parser.header_limit(header_bytes_max);
    parser.body_limit(body_bytes_max);
    stream.expires_after(patience);
    auto [failed, got] = co_await http::async_read(stream, buffer, parser, as_result);
    static_cast<void>(got);
    const int refused = failed ? status_of(failed) : 0;
    if (failed && refused == 0) break;
    stream.expires_never();
    const Response response = failed ? refusal(refused) : co_await judge(parser.get());
    stream.expires_after(patience);
    auto [broken, sent] = co_await http::async_write(stream, response, as_result);
    static_cast<void>(sent);
    if (broken || response.need_eof() || !acceptor.is_open()) break;
  }
  beast::error_code ignored;
  stream.socket().shutdown(tcp::socket::shutdown_both, ignored);
}

asio::awaitable<Response> AdminServer::State::judge(const Request& request) {
  if (!authorized(request, token)) {
    Response response = respond(
        request, admin_error(401, "invalid_api_key", "This port asks for its admin token."));
    response.set(http::field::www_authenticate, "Bearer");
    co_return response;
  }
  std::string allow;
  Response response = respond(request, co_await answer(io, routes, request, allow));
  if (response.result_int() == 405) response.set(http::field::allow, allow);
  co_return response;
}

AdminServer::AdminServer(asio::io_context& io, std::vector<AdminRoute> routes, std::string token)
    : state_(std::make_shared<State>(io, std::move(routes), std::move(token))) {}

AdminServer::~AdminServer() { stop(); }

Result<void> AdminServer::open(const tcp::endpoint& where) {
  auto acceptor = listen_at(state_->io, where, Sharing::alone);
  if (!acceptor) return std::unexpected(acceptor.error());
  state_->acceptor = std::move(*acceptor);
  state_->accept_next();
  return {};
}

tcp::endpoint AdminServer::endpoint() const {
  beast::error_code closed;
  return state_->acceptor.local_endpoint(closed);
}

void AdminServer::set_token(std::string token) {
  asio::post(state_->io, [state = state_, token = std::move(token)]() mutable {
    state->token = std::move(token);
  });
}

void AdminServer::stop() {
  asio::post(state_->io, [state = state_] { state->stop(); });
}

}  // namespace tollgate::net
