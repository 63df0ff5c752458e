// Front: the door between a connection and the application. net/ implements RequestBody and
// ReplyWriter and calls Front; app/ implements Front. Everything runs on the connection's worker.
#pragma once
#include <memory>
#include <optional>
#include <string_view>

#include "gateway/core/abort.hpp"
#include "gateway/core/http.hpp"
#include "gateway/core/pieces.hpp"
#include "gateway/core/task.hpp"

namespace tollgate {

template <class T>
using Awaitable = Task<T>;

/// Who is on the other end of a connection.
struct Peer {
  std::string_view address;  ///< "192.0.2.7"
  bool loopback = false;
  bool tls = false;
};

/// The request's body, not yet read when the application first sees it.
struct RequestBody {
  /// Reads all of it, at most `limit` bytes; sends 100-continue first where the client waits for
  /// it. The view stays true until the request has been served. Errors: 413 request_too_large,
  /// 408 request_timeout, 400 invalid_request (framing), client_gone.
  virtual Awaitable<Result<std::string_view>> read(std::uint64_t limit) = 0;
  /// What `read` would give without a wait, where all of it is here already.
  virtual std::optional<std::string_view> at_hand(std::uint64_t /*limit*/) { return std::nullopt; }
  /// Once it was read: nobody looks at its bytes any more, nor at the head's. Their memory may go.
  virtual void release() noexcept {}

 protected:
  ~RequestBody() = default;
};

/// The way back to the client. Each call waits until the client has taken the bytes; an error
/// (always client_gone) means that nobody listens any more.
struct ReplyWriter {
  /// A whole reply: head and body in one write, with content-length.
  virtual Awaitable<Result<void>> whole(const ReplyHead& head, const Pieces& body) = 0;
  /// Begins a streamed reply; the head leaves with the first write.
  virtual void begin(const ReplyHead& head) = 0;
  /// Writes (and flushes) one chunk of a streamed reply; an empty one only flushes the head.
  virtual Awaitable<Result<void>> write(const Pieces& body) = 0;
  /// Ends a streamed reply properly. Not called when the stream is to be seen as broken.
  virtual Awaitable<Result<void>> end() = 0;
  /// True once a byte of a reply may have left.
  [[nodiscard]] virtual bool started() const = 0;
  /// As `write`, where nothing need be waited for, which costs less. False: `write` the same next.
  [[nodiscard]] virtual bool write_now(const Pieces&) { return false; }

 protected:
  ~ReplyWriter() = default;
};

/// One request in the application's hands. The connection keeps it until `serve` returns and
/// tells it when the client has hung up.
struct ServedRequest {
  virtual ~ServedRequest() = default;
  /// The client hung up (or the connection must end): give up what it waits for.
  virtual void leave(Error reason) noexcept = 0;
};

struct Front {
  virtual ~Front() = default;
  /// Looks at the head alone: route, key, limits. Never fails: a refusal is a request that
  /// answers without reading its body. `head` and `peer` stay true until `serve` returns.
  virtual std::shared_ptr<ServedRequest> open(const RequestHead& head, const Peer& peer) = 0;
  /// Answers the request: exactly one whole reply or one stream, unless the client has gone.
  /// Never throws.
  virtual Awaitable<void> serve(std::shared_ptr<ServedRequest> request, RequestBody& body,
                                ReplyWriter& writer) = 0;
  /// Renders an error met before there was a head (framing, size, time).
  virtual void render_early(const Error& error, ReplyHead& head, Pieces& body) = 0;
};

}  // namespace tollgate
