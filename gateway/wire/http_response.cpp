#include <algorithm>
#include <optional>
#include <string>

#include "gateway/wire/http_head.hpp"
#include "gateway/wire/http_syntax.hpp"
#include "gateway/wire/scan.hpp"

namespace tollgate::wire {
namespace {

std::unexpected<Error> bad_reply(std::string_view problem) {
  return fail(ErrorKind::upstream_error,
              "The provider sent a malformed HTTP reply: " + std::string(problem) + ".");
}

/// Cuts one line off `text`; LF alone ends it too. The end of the text is an end of line.
std::string_view cut_lenient_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

/// `HTTP/1.1 200 OK`; some servers leave out the reason, some the space before it.
bool parse_status_line(std::string_view line, ResponseHead& out) {
  if (!line.starts_with("HTTP/1.") || line.size() < 12) return false;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (!is_digit(line[7]) || line[8] != ' ') return false;
  if (!std::ranges::all_of(line.substr(9, 3), is_digit)) return false;
  if (line.size() > 12 && line[12] != ' ') return false;
  out.minor_version = line[7] == '0' ? 0 : 1;
  out.status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
  return out.status >= 100;
}

/// Adds one header line, or the continuation of the last one.
Result<void> read_reply_header(std::string_view line, HeaderFields& headers) {
  if (find_byte(line, [](auto c) { return (c == '\r') | (c == '\0'); }) != line.size()) {
    return bad_reply("a control character in a header");
  }
  if (line.starts_with(' ') || line.starts_with('\t')) {
    if (headers.empty()) return bad_reply("a header line begins with a space");
    headers.extend_last(" ");
    headers.extend_last(trim(line));
    return {};
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return bad_reply("a header line has no colon");
  const std::string_view name = trim(line.substr(0, colon));
  if (!is_token(name)) return bad_reply("a header name is no token");
  if (headers.size() == headers_max) return bad_reply("too many headers");
  headers.add(name, trim(line.substr(colon + 1)));
  return {};
}

/// Framing of a reply. Two lengths that differ, or a length beside chunks, mean that somebody
/// before us may have cut the stream elsewhere: not worth a guess on a connection that is reused.
class ReplyFraming {
 public:
  Result<void> read(std::string_view name, std::string_view value) {
    if (is(name, "connection")) persistence_.read(value);
    if (is(name, "content-length")) return read_length(value);
    if (!is(name, "transfer-encoding") || iequals(value, "identity")) return {};
    if (chunked_ || !iequals(value, "chunked")) return bad_reply("its Transfer-Encoding");
    chunked_ = true;
    return {};
  }

  Result<void> decide(ResponseHead& out) const {
    if (chunked_ && length_) return bad_reply("both Transfer-Encoding and Content-Length");
    const bool bodyless = out.status < 200 || out.status == 204 || out.status == 304;
    out.keep_alive = persistence_.decide(out.minor_version);
    if (bodyless) return {};
    if (chunked_) {
      out.framing = Framing::chunked;
      out.keep_alive = out.keep_alive && out.minor_version == 1;
    } else if (length_) {
      out.framing = Framing::sized;
      out.content_length = *length_;
    } else {
      out.framing = Framing::until_close;
      out.keep_alive = false;
    }
    return {};
  }

 private:
  /// Most names differ by their length.
  static bool is(std::string_view name, std::string_view wanted) {
    return name.size() == wanted.size() && iequals(name, wanted);
  }
  Result<void> read_length(std::string_view value) {
    if (!length_ && value.find(',') == std::string_view::npos) {
      length_ = parse_length(trim(value));
      return length_ ? Result<void>{} : bad_reply("its Content-Length");
    }
    bool good = true;
    for_each_element(value, [&](std::string_view element) {
      const auto length = parse_length(element);
      good = good && length && (!length_ || *length_ == *length);
      length_ = length;
    });
    if (!good) return bad_reply("its Content-Length");
    return {};
  }

  bool chunked_ = false;
  std::optional<std::uint64_t> length_;
  Persistence persistence_;
};

}  // namespace

Result<ResponseHead> parse_response_head(std::string_view head) {
  Result<ResponseHead> made;  // built where it is returned
  ResponseHead& out = *made;
  std::string_view rest = skip_empty_lines(head);
  if (!parse_status_line(cut_lenient_line(rest), out)) return bad_reply("its status line");
  constexpr std::size_t usual = 16;
  out.headers.reserve(usual, rest.size());
  while (!rest.empty()) {
    const std::string_view line = cut_lenient_line(rest);
    if (line.empty()) break;
    if (auto read = read_reply_header(line, out.headers); !read) {
      return std::unexpected(read.error());
    }
  }
  ReplyFraming framing;
  for (const auto& [name, value] : out.headers) {
    if (auto read = framing.read(name, value); !read) return std::unexpected(read.error());
  }
  if (auto decided = framing.decide(out); !decided) return std::unexpected(decided.error());
  return made;
}

}  // namespace tollgate::wire
