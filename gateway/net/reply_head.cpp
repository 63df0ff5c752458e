#include "gateway/net/reply_head.hpp"

#include <algorithm>
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

/// A few words and figures that are added to a text at once.
class Line {
 public:
  Line& text(std::string_view text) {
    at_ = std::copy(text.begin(), text.end(), at_);
    return *this;
  }
  template <class Number>
  Line& number(Number number) {
    at_ = std::to_chars(at_, text_.data() + text_.size(), number).ptr;
    return *this;
  }
  void add_to(std::string& out) { out.append(text_.data(), at_); }

 private:
  std::array<char, 128> text_;  // longer than every line here
  char* at_ = text_.data();
};

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
  Line status;
  status.text("HTTP/1.1 ").number(head.status).text(" ").text(reason_phrase(head.status));
  status.text("\r\n").add_to(out);
  out += date_line;
  out += head.fields;
  Line last;
  if (shape.framing == Framing::chunked) last.text("transfer-encoding: chunked\r\n");
  if (shape.framing == Framing::sized && !bodyless(head.status)) {
    last.text("content-length: ").number(shape.length).text("\r\n");
  }
  if (!shape.keep_alive) last.text("connection: close\r\n");
  if (shape.keep_alive && shape.minor_version == 0) last.text("connection: keep-alive\r\n");
  last.text("\r\n").add_to(out);
}

}  // namespace tollgate::net
