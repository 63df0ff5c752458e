// RedisPort: what the Redis store asks of the network link: one command or one script, routed by
// its key. Implemented in gateway/net/redis (one object a worker), by a synchronous client in the
// store's tests. The worker's thread; the store keeps one port for each worker.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/front.hpp"

namespace tollgate::policies {

/// What Redis answered. An error reply (`-ERR ...`) is an answer too: the command was read.
struct RedisReply {
  enum class Kind : std::uint8_t { nil, integer, text, error, array };
  Kind kind = Kind::nil;
  std::int64_t integer = 0;
  std::string text;  ///< of text (bulk or status) and error
  std::vector<RedisReply> items;

  [[nodiscard]] bool is_error() const { return kind == Kind::error; }
  /// Whether it is an error that begins with this word ("NOSCRIPT").
  [[nodiscard]] bool is_error(std::string_view word) const {
    return is_error() && text.starts_with(word) &&
           (text.size() == word.size() || text[word.size()] == ' ');
  }
  bool operator==(const RedisReply&) const = default;
};

/// A Lua script and the name under which Redis keeps it.
struct RedisScript {
  std::string source;
  std::string sha1;  ///< lower-case hex of `source`
  /// The script with its name worked out.
  static RedisScript of(std::string source);
  /// The same of an embedded file, which ends without a zero.
  template <std::size_t size>
  static RedisScript embedded(const char (&text)[size]) {
    return of(std::string(text, size));
  }
};

struct RedisPort {
  virtual ~RedisPort() = default;

  /// Sends one command to the node that has `slot_key` (a key, or text that holds its hash tag;
  /// ignored outside Cluster). Views must stay until it returns. Error: store_unavailable, where no
  /// answer came in time; see `never_sent`.
  virtual Awaitable<Result<RedisReply>> call(std::string_view slot_key,
                                             std::span<const std::string_view> args) = 0;

  /// Identity of the data at the node of `slot_key`: another one after a failover or a restart
  /// (M23). Empty while it is not known: no connection stands.
  [[nodiscard]] virtual std::string replication_id(std::string_view slot_key) const = 0;

  /// For what has to be asked of every node: one key for each, to call it by.
  [[nodiscard]] virtual std::vector<std::string> key_of_each_node() const { return {""}; }

  /// Runs a script by its name, and with its source where Redis does not know it yet. Errors as
  /// `call`; a reply NOSCRIPT is never handed on.
  Awaitable<Result<RedisReply>> script(const RedisScript& script, std::string_view slot_key,
                                       std::span<const std::string_view> keys,
                                       std::span<const std::string_view> args);
};

/// Whether the command of this error has surely not reached Redis: there is nothing to take back.
[[nodiscard]] inline bool never_sent(const Error& error) {
  return error.retry == Retry::same_or_other;
}

}  // namespace tollgate::policies
