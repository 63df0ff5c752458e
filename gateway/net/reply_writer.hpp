// ConnectionReply: the ReplyWriter of one request: head and body, or head, chunk size and parts,
// leave in one gathered write. Decides with the head whether the connection is kept. Lives for the
// length of one `serve`; its worker's thread.
#pragma once
#include <chrono>
#include <string>
#include <vector>

#include "gateway/core/front.hpp"
#include "gateway/net/client_connection.hpp"
#include "gateway/net/reply_head.hpp"

namespace tollgate::net {

/// What of a request its reply depends on.
struct ReplyTo {
  int minor_version = 1;
  bool head_method = false;  ///< HEAD: the reply has no body, whatever its length says
  bool keep_alive = false;
};

/// Asked once, when a reply's head is rendered: may another request follow on this connection?
struct KeepAliveRule {
  virtual bool may_keep() = 0;

 protected:
  ~KeepAliveRule() = default;
};

/// Memory that replies of one connection take turns with.
struct ReplyScratch {
  std::string head, size_line;
  std::vector<std::string_view> parts;
};

class ConnectionReply final : public ReplyWriter {
 public:
  ConnectionReply(ClientConnection& connection, DateLine& date, KeepAliveRule& rule,
                  ReplyScratch& scratch, ReplyTo to, std::chrono::milliseconds idle)
      : connection_(connection),
        date_(date),
        rule_(rule),
        scratch_(scratch),
        to_(to),
        idle_(idle) {}

  Awaitable<Result<void>> whole(const ReplyHead& head, const Pieces& body) override;
  void begin(const ReplyHead& head) override;
  Awaitable<Result<void>> write(const Pieces& body) override;
  bool write_now(const Pieces& body) override;
  Awaitable<Result<void>> end() override;
  [[nodiscard]] bool started() const override { return started_; }

  /// Whether all of a reply has left and the connection is kept.
  [[nodiscard]] bool kept() const { return ended_ && keep_alive_; }
  /// Whether an orderly close would look like the proper end of a reply that had none.
  [[nodiscard]] bool cut_short() const { return started_ && !ended_ && until_close_; }

 private:
  void render(const ReplyHead& head, ReplyShape shape);
  void add_head();
  void add(const Pieces& body);
  void add_chunk(const Pieces& body);
  [[nodiscard]] bool flush_now();
  Awaitable<Result<void>> flush();

  ClientConnection& connection_;
  DateLine& date_;
  KeepAliveRule& rule_;
  ReplyScratch& scratch_;
  ReplyTo to_;
  std::chrono::milliseconds idle_;
  bool added_ = false;  // what write_now could not send waits in scratch_
  bool head_waits_ = false, chunked_ = false, until_close_ = false, bodyless_ = false;
  bool started_ = false, ended_ = false, keep_alive_ = false;
};

}  // namespace tollgate::net
