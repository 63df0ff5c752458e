// Exchange: one request and its reply; handed out as the UpstreamReply. `begin` takes a connection
// and writes, the caller awaits head and body. At the reply's proper end the connection goes back
// to the pool, in any other case it is closed. Worker's thread.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/net/connector.hpp"
#include "gateway/net/inflater.hpp"
#include "gateway/net/pool.hpp"
#include "gateway/net/reply_body.hpp"
#include "gateway/net/way.hpp"
#include "routing/upstream.hpp"

namespace tollgate::net {

class Exchange final : public routing::UpstreamReply {
 public:
  /// `head` is the request's, ready to be sent.
  Exchange(Pool& pool, Connector& connector, const routing::UpstreamRequest& request,
           std::shared_ptr<const Way> way, std::string head);
  ~Exchange() override { close(); }

  /// Connects, or takes an idle connection, and writes.
  Awaitable<Result<void>> begin();

  Awaitable<Result<bool>> await_head(SteadyTime until) override;
  [[nodiscard]] const ResponseHead& head() const override { return head_; }
  Awaitable<Result<routing::ReadStep>> read(SteadyTime until) override {
    return inflater_ ? read_inflated(until) : read_wire(until);
  }
  [[nodiscard]] bool ended() const override { return body_.done() && !inflater_ && !closed_; }
  [[nodiscard]] const routing::UpstreamTimes& times() const override { return times_; }
  void close() noexcept override;

 private:
  class Reading;
  Awaitable<Result<void>> connect();
  Awaitable<Result<void>> write();
  Awaitable<Result<routing::ReadStep>> read_wire(SteadyTime until);
  Awaitable<Result<routing::ReadStep>> read_inflated(SteadyTime until);
  Result<bool> take_head();
  Result<void> judge_head();
  std::optional<Result<routing::ReadStep>> take_body();
  [[nodiscard]] bool may_replace() const;
  std::unexpected<Error> broken(ErrorKind kind, std::string_view message, std::string detail = {});
  std::unexpected<Error> give_up(std::string_view what);
  void release();

  Pool& pool_;
  Connector& connector_;
  routing::UpstreamRequest request_;
  std::shared_ptr<const Way> way_;
  std::string request_head_;
  std::vector<std::string_view> parts_;  // the request as it is written
  Patience patience_;
  std::unique_ptr<UpstreamConnection> connection_;
  ResponseHead head_;
  ReplyBody body_;
  std::unique_ptr<Inflater> inflater_;  // only where the reply came compressed
  routing::UpstreamTimes times_;
  SteadyTime head_limit_ = never;
  SteadyTime last_byte_{};
  std::size_t scanned_ = 0;  // of the head, bytes already searched for its end
  int interim_ = 0;          // 1xx heads so far
  bool answered_ = false;    // a byte of a reply has come
  bool sent_whole_ = false;  // else the connection is good for this reply only
  bool closed_ = false;
};

}  // namespace tollgate::net
