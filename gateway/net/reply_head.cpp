#include "gateway/net/reply_head.hpp"

#include <array>
#include <charconv>

namespace tollgate::net {
namespace {

struct Reason {
  int status;
  std::string_view phrase;
};

constexpr std::array reasons{
    Reason{200, "OK"},
    Reason{204, "No Content"},
    Reason{304, "Not Modified"},
    Reason{400, "Bad Request"},
    Reason{401, "Unauthorized"},
    Reason{402, "Payment Required"},
    Reason{403, "Forbidden"},
    Reason{404, "Not Found"},
    Reason{405, "Method Not Allowed"},
    Reason{408, "Request Timeout"},
    Reason{409, "Conflict"},
    Reason{413, "Content Too Large"},
    Reason{415, "Unsupported Media Type"},
    Reason{422, "Unprocessable Content"},
    Reason{429, "Too Many Requests"},
    Reason{431, "Request Header Fields Too Large"},
    Reason{500, "Internal Server Error"},
    Reason{502, "Bad Gateway"},
    Reason{503, "Service Unavailable"},
    Reason{504, "Gateway Timeout"},
};

/// The phrase may be empty; the space before it may not be left out.
std::string_view reason_phrase(int status) {
  for (const Reason& reason : reasons) {
    if (reason.status == status) return reason.phrase;
  }
  return {};
}

template <class Number>
void append_number(std::string& out, Number number) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

}  // namespace

std::string_view DateLine::at(std::time_t seconds) {
  if (seconds == rendered_) return line_;
  static constexpr std::array days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  // Own names: strftime's follow the locale.
  std::array<char, 64> text{};
  std::strftime(text.data(), text.size(), ", %d ??? %Y %H:%M:%S GMT\r\n", &utc);
  line_ = "date: ";
  line_ += days[static_cast<std::size_t>(utc.tm_wday)];
  line_ += text.data();
  line_.replace(line_.find('?'), 3, months[static_cast<std::size_t>(utc.tm_mon)]);
  rendered_ = seconds;
  return line_;
}

bool bodyless(int status) { return status < 200 || status == 204 || status == 304; }

void render_head(std::string& out, const ReplyHead& head, std::string_view date_line,
                 const ReplyShape& shape) {
  // Grown by itself it would have room for two heads, for as long as a stream lasts.
  constexpr std::size_t own_lines = 160, step = 128;
  out.clear();
  out.reserve((head.fields.size() + own_lines + step - 1) / step * step);
  out += "HTTP/1.1 ";
  append_number(out, head.status);
  out += ' ';
  out += reason_phrase(head.status);
  out += "\r\n";
  out += date_line;
  out += head.fields;
  if (shape.framing == Framing::chunked) out += "transfer-encoding: chunked\r\n";
  if (shape.framing == Framing::sized && !bodyless(head.status)) {
    out += "content-length: ";
    append_number(out, shape.length);
    out += "\r\n";
  }
  if (!shape.keep_alive) out += "connection: close\r\n";
  if (shape.keep_alive && shape.minor_version == 0) out += "connection: keep-alive\r\n";
  out += "\r\n";
}

}  // namespace tollgate::net
