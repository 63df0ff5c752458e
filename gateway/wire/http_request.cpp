#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "gateway/wire/http_head.hpp"
#include "gateway/wire/http_syntax.hpp"
#include "gateway/wire/scan.hpp"

namespace tollgate::wire {
namespace {

std::unexpected<Error> bad_request(std::string_view problem) {
  return fail(ErrorKind::invalid_request,
              "The HTTP request is malformed: " + std::string(problem) + ".");
}

/// A head's control characters (a tab is none), one after the other: sixteen bytes are looked at
/// once, however many lines they hold.
class Controls {
 public:
  explicit Controls(std::string_view text) : text_(text) {}

  /// Offset of the next one, or the text's size.
  std::size_t next() {
    while (bits_ == 0) {
      if (ahead_ >= text_.size()) return text_.size();
      bits_ = look();
    }
    const std::size_t found = ahead_ - block + static_cast<std::size_t>(std::countr_zero(bits_));
    bits_ &= bits_ - 1;
    return found;
  }

 private:
  static constexpr std::size_t block = sizeof(ByteBlock);
  static auto is_control(auto c) { return ((c < 0x20) & (c != '\t')) | (c == 0x7F); }

  std::uint32_t look() {
    const auto control = [](auto c) { return is_control(c); };
    const char* const at = text_.data() + ahead_;
    const std::size_t left = text_.size() - ahead_;
    ahead_ += block;
    if (left >= block) return bits_of_block(at, control);
    std::array<char, block> last{};
    std::memcpy(last.data(), at, left);
    return bits_of_block(last.data(), control) & ((1U << left) - 1);
  }

  std::string_view text_;
  std::size_t ahead_ = 0;   // what lies before it was looked at
  std::uint32_t bits_ = 0;  // what was found in the last block before it
};

/// The lines of a head. Up to their CRLF there may be no control character, so that one scan finds
/// the ends and every bare CR, bare LF and NUL.
class StrictLines {
 public:
  explicit StrictLines(std::string_view text) : text_(text), controls_(text) {}

  Result<std::string_view> next() {
    const std::size_t end = controls_.next();
    const std::string_view rest = text_.substr(end);
    if (rest.starts_with("\r\n")) {
      controls_.next();
      const std::size_t begin = std::exchange(begin_, end + 2);
      return text_.substr(begin, end - begin);
    }
    if (rest.empty()) return bad_request("a line has no end");
    if (rest[0] == '\r') return bad_request("a bare CR");
    if (rest[0] == '\n') return bad_request("a line ends in a bare LF");
    if (rest[0] == '\0') return bad_request("a NUL byte");
    return bad_request("a control character");
  }
  [[nodiscard]] bool over() const { return begin_ == text_.size(); }

 private:
  std::string_view text_;
  Controls controls_;
  std::size_t begin_ = 0;  // of the next line
};

Result<int> parse_version(std::string_view version) {
  if (version == "HTTP/1.1") return 1;
  if (version == "HTTP/1.0") return 0;
  if (version.starts_with("HTTP/")) {
    return bad_request("only HTTP/1.1 and HTTP/1.0 are spoken here");
  }
  return bad_request("the request line is not METHOD TARGET HTTP/1.1");
}

bool in_no_host(char c) {
  static constexpr auto bytes = [] {
    std::array<bool, 256> in{};
    for (const char each : std::string_view(" \t/\\@?#,\"<>"))
      in[static_cast<std::uint8_t>(each)] = true;
    return in;
  }();
  return bytes[static_cast<std::uint8_t>(c)];
}

/// The bytes a target may hold: visible ASCII without the fragment mark.
bool is_target(std::string_view target) {
  return !target.empty() &&
         std::ranges::all_of(target, [](char c) { return c > ' ' && c < '\x7F' && c != '#'; });
}

/// Cuts `http://authority` off an absolute-form target.
Result<std::string_view> origin_form(std::string_view target) {
  constexpr std::array<std::string_view, 2> schemes = {"http://", "https://"};
  for (const std::string_view scheme : schemes) {
    if (!iequals(target.substr(0, scheme.size()), scheme)) continue;
    const std::string_view rest = target.substr(scheme.size());
    const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
    const std::string_view authority = rest.substr(0, end);
    if (authority.empty() || authority.find('@') != std::string_view::npos) {
      return bad_request("the target's authority");
    }
    return rest.substr(end);
  }
  return bad_request("the target must begin with a slash");
}

Result<void> parse_target(RequestHead& out) {
  if (!is_target(out.target)) return bad_request("the target has bytes that must be escaped");
  if (out.method == "CONNECT") return bad_request("CONNECT is not served here");
  if (out.target == "*") {
    if (out.method != "OPTIONS") return bad_request("the target * goes with OPTIONS only");
    out.path = out.target;
    return {};
  }
  std::string_view origin = out.target;
  if (!origin.starts_with('/')) {
    auto cut = origin_form(origin);
    if (!cut) return std::unexpected(cut.error());
    origin = *cut;
  }
  const std::size_t mark = origin.find('?');
  out.path = origin.substr(0, mark);
  if (out.path.empty()) out.path = "/";
  if (mark != std::string_view::npos) out.query = origin.substr(mark + 1);
  return {};
}

Result<void> parse_request_line(std::string_view line, RequestHead& out) {
  if (line.starts_with("PRI * HTTP/2")) {
    return bad_request("HTTP/2 without negotiation is not served here, use HTTP/1.1");
  }
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) {
    return bad_request("the request line is not METHOD TARGET HTTP/1.1");
  }
  out.method = line.substr(0, first);
  if (!is_token(out.method)) return bad_request("the method is no token");
  auto version = parse_version(line.substr(last + 1));
  if (!version) return std::unexpected(version.error());
  out.minor_version = *version;
  out.target = line.substr(first + 1, last - first - 1);
  return parse_target(out);
}

Result<HeaderView> parse_header(std::string_view line) {
  if (line.starts_with(' ') || line.starts_with('\t')) {
    return bad_request("a header line begins with a space (folding is obsolete)");
  }
  const std::size_t end = token_length(line);
  if (end > 0 && end < line.size() && line[end] == ':') {
    return HeaderView{line.substr(0, end), trim(line.substr(end + 1))};
  }
  const bool colon = line.find(':') != std::string_view::npos;
  return bad_request(colon ? "a header name is no token" : "a header line has no colon");
}

/// The headers that decide about framing, each judged as it comes; `decide` judges them together.
class RequestFraming {
 public:
  explicit RequestFraming(RequestHead& out) : out_(out) {}

  Result<void> read(const HeaderView& header) {
    for (const Rule& rule : rules) {
      if (rule.name.size() == header.name.size() && iequals(rule.name, header.name)) {
        return (this->*rule.read)(header.value);
      }
    }
    return {};
  }

  Result<void> decide() {
    const bool http_1_1 = out_.minor_version == 1;
    if (http_1_1 && !host_) return bad_request("the Host header is missing");
    if (chunked_ && !http_1_1) return bad_request("Transfer-Encoding needs HTTP/1.1");
    if (chunked_ && length_) {
      return bad_request("both Transfer-Encoding and Content-Length are given");
    }
    if (chunked_) out_.framing = Framing::chunked;
    if (length_) out_.framing = Framing::sized;
    out_.content_length = length_.value_or(0);
    out_.keep_alive = persistence_.decide(out_.minor_version);
    out_.expect_continue = expect_ && http_1_1 && (chunked_ || out_.content_length > 0);
    return {};
  }

 private:
  struct Rule {
    std::string_view name;
    Result<void> (RequestFraming::*read)(std::string_view);
  };
  static const std::array<Rule, 5> rules;

  Result<void> host(std::string_view value) {
    if (host_) return bad_request("more than one Host header");
    host_ = true;
    if (!std::ranges::none_of(value, in_no_host)) return bad_request("the Host header");
    return {};
  }

  Result<void> content_length(std::string_view value) {
    if (length_) return bad_request("more than one Content-Length header");
    length_ = parse_length(value);
    if (!length_) return bad_request("the Content-Length header is no number");
    return {};
  }

  Result<void> transfer_encoding(std::string_view value) {
    if (chunked_) return bad_request("more than one Transfer-Encoding header");
    chunked_ = true;
    if (!iequals(value, "chunked")) return bad_request("Transfer-Encoding is not just chunked");
    return {};
  }

  Result<void> connection(std::string_view value) {
    persistence_.read(value);
    return {};
  }

  Result<void> expect(std::string_view value) {
    expect_ = true;
    if (!iequals(value, "100-continue")) {
      return bad_request("the Expect header asks for something else than 100-continue");
    }
    return {};
  }

  RequestHead& out_;
  bool host_ = false, chunked_ = false, expect_ = false;
  std::optional<std::uint64_t> length_;
  Persistence persistence_;
};

const std::array<RequestFraming::Rule, 5> RequestFraming::rules{
    Rule{"host", &RequestFraming::host},
    Rule{"content-length", &RequestFraming::content_length},
    Rule{"transfer-encoding", &RequestFraming::transfer_encoding},
    Rule{"connection", &RequestFraming::connection},
    Rule{"expect", &RequestFraming::expect},
};

void reset(RequestHead& out) {
  std::vector<HeaderView> headers = std::move(out.headers);
  headers.clear();
  out = RequestHead{};
  out.headers = std::move(headers);
}

}  // namespace

Result<void> parse_request_head(std::string_view head, RequestHead& out) {
  reset(out);
  StrictLines lines(skip_empty_lines(head));
  auto line = lines.next();
  if (!line) return std::unexpected(line.error());
  if (auto parsed = parse_request_line(*line, out); !parsed) return parsed;
  RequestFraming framing(out);
  while (true) {
    line = lines.next();
    if (!line) return std::unexpected(line.error());
    if (line->empty()) break;
    auto header = parse_header(*line);
    if (!header) return std::unexpected(header.error());
    if (out.headers.size() == headers_max) {
      return fail(ErrorKind::headers_too_large,
                  "The request has more than " + std::to_string(headers_max) + " headers.");
    }
    out.headers.push_back(*header);
    if (auto read = framing.read(*header); !read) return read;
  }
  if (!lines.over()) return bad_request("text behind the head");
  return framing.decide();
}

}  // namespace tollgate::wire
