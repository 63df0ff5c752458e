// AdminServer: the operator's small HTTP server, for `listen.admin` and `listen.metrics`: a table
// of routes over Boost.Beast, never on the API port. Runs on an io_context of its own thread, so
// that probes answer while every worker is busy; handlers run on that thread too.
#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/error.hpp"

namespace tollgate::net {

struct AdminReply {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

/// One entry of the table. A GET route answers HEAD too.
struct AdminRoute {
  std::string method, path;
  std::function<AdminReply(std::string_view body)> handle;
  /// In its place, for what takes its time: calls `done` once, later or at once, on any thread.
  using Done = std::function<void(AdminReply)>;
  std::function<void(std::string_view body, Done done)> handle_later = nullptr;
};

/// An OpenAI-shaped JSON error, for handlers.
[[nodiscard]] AdminReply admin_error(int status, std::string_view code, std::string_view message);

class AdminServer {
 public:
  /// With a token every route asks for `Authorization: Bearer <token>`; empty: none does.
  AdminServer(boost::asio::io_context& io, std::vector<AdminRoute> routes, std::string token = {});
  ~AdminServer();
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  /// Listens at `where` and begins to answer. Errors: one sentence.
  Result<void> open(const boost::asio::ip::tcp::endpoint& where);
  [[nodiscard]] boost::asio::ip::tcp::endpoint endpoint() const;
  /// After a reload. Any thread.
  void set_token(std::string token);
  /// Closes the port and every connection. Any thread; done when the io_context has turned.
  void stop();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tollgate::net
