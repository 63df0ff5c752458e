// HTTP heads as plain values: what the codecs in wire/ produce and the sockets in net/ move.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tollgate {

struct HeaderView {
  std::string_view name, value;
};
using HeaderList = std::vector<std::pair<std::string, std::string>>;

/// Case-insensitive ASCII compare, as HTTP header names and tokens need it.
[[nodiscard]] bool iequals(std::string_view a, std::string_view b);

/// How a message's body is delimited.
enum class Framing : std::uint8_t { none, sized, chunked, until_close };

/// A request head whose views point into the connection's buffer.
struct RequestHead {
  std::string_view method, target;  ///< target as sent
  std::string_view path, query;     ///< target cut at '?'
  int minor_version = 1;            ///< HTTP/1.minor
  std::vector<HeaderView> headers;
  Framing framing = Framing::none;
  std::uint64_t content_length = 0;  ///< for sized
  bool keep_alive = true;
  bool expect_continue = false;

  /// Value of the first header of that name, or empty.
  [[nodiscard]] std::string_view header(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const;
};

/// A provider's reply head; owns its text, since it outlives the read buffer.
struct ResponseHead {
  int status = 0;
  int minor_version = 1;
  HeaderList headers;
  Framing framing = Framing::none;
  std::uint64_t content_length = 0;
  bool keep_alive = true;

  [[nodiscard]] std::string_view header(std::string_view name) const;
};

/// What we answer. `fields` holds ready lines "name: value\r\n"; the session adds the status
/// line, framing, date and connection headers.
struct ReplyHead {
  int status = 200;
  std::string fields;
  /// Appends one header line; CR and LF in `value` become spaces.
  void add(std::string_view name, std::string_view value);
};

}  // namespace tollgate
