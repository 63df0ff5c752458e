// Heads: no crash, views stay inside, an incremental search finds the same end, and what is
// accepted says the same when it is written down canonically and read again.
#include "gateway/wire/http_head.hpp"

#include <string>

#include "tests/fuzz/input.hpp"

using namespace tollgate;
using fuzz::require;

namespace {

std::string canonical(const RequestHead& head) {
  std::string text;
  text.append(head.method).append(" ").append(head.target).append(" HTTP/1.");
  text.append(std::to_string(head.minor_version)).append("\r\n");
  for (const HeaderView& header : head.headers)
    text.append(header.name).append(": ").append(header.value).append("\r\n");
  return text + "\r\n";
}

void check_incremental(std::string_view text, std::uint32_t seed) {
  const std::size_t whole = wire::head_length(text);
  std::size_t have = 0;
  std::size_t found = 0;
  for (const std::string_view piece : fuzz::split(text, seed)) {
    const std::size_t seen = have;
    have += piece.size();
    found = wire::head_length(text.substr(0, have), seen);
    if (found != 0) break;
  }
  require(found == whole, "the end of a head does not depend on splits");
  require(whole <= text.size(), "a head is no longer than its buffer");
}

void check_framing(const RequestHead& head) {
  require(head.minor_version == 0 || head.minor_version == 1, "only 1.0 and 1.1");
  require(head.minor_version == 0 || head.has("host"), "1.1 has a Host");
  const bool chunked = head.framing == Framing::chunked;
  require(chunked == head.has("transfer-encoding"), "Transfer-Encoding is never ignored");
  require((head.framing == Framing::sized) == head.has("content-length"),
          "Content-Length is never ignored");
  require(!chunked || (head.minor_version == 1 && head.content_length == 0), "chunked needs 1.1");
  require(head.framing != Framing::until_close, "a request never ends with the connection");
  int hosts = 0;
  for (const HeaderView& header : head.headers)
    hosts += iequals(header.name, "host") ? 1 : 0;
  require(hosts <= 1, "at most one Host");
}

void check_request(std::string_view text) {
  const std::string copy(text);  // its own allocation: reading too far shows
  RequestHead head;
  if (!wire::parse_request_head(copy, head)) return;
  for (const HeaderView& header : head.headers) {
    require(fuzz::inside(header.name, copy) && fuzz::inside(header.value, copy), "views inside");
    require(header.value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos,
            "no line ends and no NUL in a value");
  }
  check_framing(head);
  const std::string written = canonical(head);
  RequestHead again;
  require(wire::parse_request_head(written, again).has_value(), "the canonical form is accepted");
  require(canonical(again) == written, "and reads the same");
  require(again.framing == head.framing && again.content_length == head.content_length &&
              again.keep_alive == head.keep_alive && again.path == head.path &&
              again.query == head.query && again.expect_continue == head.expect_continue,
          "and means the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text = fuzz::text_of(data, size);
  const std::uint8_t seed = fuzz::take_byte(text);
  check_incremental(text, seed);
  check_request(text);
  if (const std::size_t length = wire::head_length(text); length != 0) {
    check_request(text.substr(0, length));
  }
  const std::string copy(text);
  const auto reply = wire::parse_response_head(copy);
  require(!reply || (reply->status >= 100 && reply->status <= 999), "three digits of status");
  return 0;
}
