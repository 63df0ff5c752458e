// ConnectionBody: the RequestBody of one request on a connection. Small sized bodies stay beside
// their head without a copy; all others are read straight into (or decoded into) one BodyBuffer.
// Lives for the length of one `serve`; its worker's thread.
#pragma once
#include <chrono>

#include "gateway/core/front.hpp"
#include "gateway/core/rare.hpp"
#include "gateway/net/client_connection.hpp"

namespace tollgate::net {

class ConnectionBody final : public RequestBody {
 public:
  ConnectionBody(ClientConnection& connection, const RequestHead& head, BufferBudget& budget,
                 std::chrono::milliseconds idle)
      : connection_(connection), head_(head), budget_(budget), idle_(idle) {}

  Awaitable<Result<std::string_view>> read(std::uint64_t limit) override;
  std::optional<std::string_view> at_hand(std::uint64_t limit) override;
  void release() noexcept override;

  /// Ends reading with `reason` (the drain's end); the first one stays.
  void abandon(const Error& reason);
  /// Whether the next request begins where this one's unread bytes would: true when all of the
  /// body was read, or lies here already and is then skipped. After that `read` fails.
  [[nodiscard]] bool settle();
  /// Whether the client may still be sending.
  [[nodiscard]] bool incomplete() const { return state_ != State::complete; }

 private:
  enum class State : std::uint8_t { untouched, reading, complete };

  Awaitable<Result<std::string_view>> receive(std::uint64_t limit);
  Awaitable<Result<std::string_view>> receive_beside(std::uint64_t length);
  Awaitable<Result<std::string_view>> receive_apart(std::uint64_t length);
  Awaitable<Result<std::string_view>> receive_chunked(std::uint64_t limit);
  Awaitable<Result<void>> ask_to_continue();
  Awaitable<Result<void>> more();
  [[nodiscard]] bool skip_buffered();

  ClientConnection& connection_;
  const RequestHead& head_;
  BufferBudget& budget_;
  std::chrono::milliseconds idle_;
  State state_ = State::untouched;
  std::string_view body_;
  Rare<Error> failure_;
};

}  // namespace tollgate::net
