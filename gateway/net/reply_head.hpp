// The first lines of what we answer: status line, date, the application's fields, framing and
// connection. Pure but for the clock behind DateLine. Used by sessions; one DateLine a worker.
#pragma once
#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>

#include "gateway/core/http.hpp"

namespace tollgate::net {

/// `date: <IMF-fixdate>\r\n`, rendered once a second.
class DateLine {
 public:
  [[nodiscard]] std::string_view now() { return at(std::time(nullptr)); }
  [[nodiscard]] std::string_view at(std::time_t seconds);

 private:
  std::time_t rendered_ = -1;
  std::string line_;
};

/// How the reply's body is delimited and what becomes of the connection.
struct ReplyShape {
  Framing framing = Framing::sized;  ///< sized, chunked or until_close
  std::uint64_t length = 0;          ///< for sized
  bool keep_alive = true;
  int minor_version = 1;  ///< the request's
};

/// Whether a reply of this status has no body and no length (1xx, 204, 304).
[[nodiscard]] bool bodyless(int status);

/// Renders the whole head, its blank line included, into `out` (replaced, capacity kept).
void render_head(std::string& out, const ReplyHead& head, std::string_view date_line,
                 const ReplyShape& shape);

}  // namespace tollgate::net
