#include "gateway/app/request_headers.hpp"

#include <algorithm>
#include <charconv>

namespace tollgate::app {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_hex(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

/// Lower-case hex digits, not all of them 0.
bool is_id(std::string_view text) {
  return is_hex(text) && text.find_first_not_of('0') != std::string_view::npos;
}

void add_tags(std::string_view text, HeaderList& tags) {
  constexpr std::size_t tags_max = 32;
  constexpr std::size_t bytes_max = 256;
  while (!text.empty() && tags.size() < tags_max) {
    const std::size_t comma = text.find(',');
    const std::string_view pair = trim(text.substr(0, comma));
    text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
    const std::size_t equals = pair.find('=');
    if (equals == 0 || equals == std::string_view::npos || pair.size() > bytes_max) continue;
    tags.emplace_back(trim(pair.substr(0, equals)), trim(pair.substr(equals + 1)));
  }
}

}  // namespace

std::string_view presented_key(const RequestHead& head) {
  constexpr std::string_view name = "authorization", scheme = "bearer ";
  const auto given = std::ranges::find_if(
      head.headers, [&](const HeaderView& header) { return iequals(header.name, name); });
  if (given == head.headers.end()) return trim(head.header("x-api-key"));
  const std::string_view value = trim(given->value);
  if (!iequals(value.substr(0, scheme.size()), scheme)) return {};
  return trim(value.substr(scheme.size()));
}

Result<std::optional<std::chrono::milliseconds>> asked_timeout(const RequestHead& head) {
  std::string_view text = trim(head.header("x-tollgate-timeout"));
  if (text.empty()) return std::nullopt;
  double factor = 1000;
  if (text.ends_with("ms")) {
    factor = 1;
    text.remove_suffix(2);
  } else if (text.ends_with('s')) {
    text.remove_suffix(1);
  }
  double number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  constexpr double longest_ms = 1e9;
  if (failed != std::errc{} || end != text.data() + text.size() || !(number > 0) ||
      number * factor > longest_ms) {
    return fail(ErrorKind::invalid_request,
                "x-tollgate-timeout must be seconds ('30') or milliseconds ('500ms').",
                "x-tollgate-timeout");
  }
  return std::chrono::milliseconds(
      std::max<std::int64_t>(1, static_cast<std::int64_t>(number * factor)));
}

/// Headers that hold lists may stand more than once (RFC 9110, 5.3).
HeaderList asked_tags(const RequestHead& head) {
  constexpr std::string_view name = "x-tollgate-tags";
  HeaderList tags;
  for (const HeaderView& header : head.headers) {
    if (header.name.size() != name.size() || !iequals(header.name, name)) continue;
    add_tags(header.value, tags);
  }
  return tags;
}

std::string_view asked_trace(const RequestHead& head) {
  constexpr std::size_t version_size = 2, trace_size = 32, parent_size = 16, whole_size = 55;
  const std::string_view text = trim(head.header("traceparent"));
  if (text.size() < whole_size) return {};
  const std::string_view version = text.substr(0, version_size);
  const std::string_view trace = text.substr(version_size + 1, trace_size);
  const std::string_view parent = text.substr(version_size + trace_size + 2, parent_size);
  const std::string_view flags = text.substr(whole_size - 2, 2);
  const bool apart = text[2] == '-' && text[35] == '-' && text[52] == '-';
  // Later versions may say more behind a further dash.
  const bool ends = text.size() == whole_size || (version != "00" && text[whole_size] == '-');
  if (!apart || !ends || version == "ff" || !is_hex(version) || !is_hex(flags)) return {};
  return is_id(trace) && is_id(parent) ? trace : std::string_view{};
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high >= 0 && low >= 0) {
        out += static_cast<char>(high * 16 + low);
        i += 2;
        continue;
      }
    }
    out += text[i];
  }
  return out;
}

std::string printable(std::string_view text, std::size_t longest) {
  std::string out;
  for (char c : text.substr(0, longest)) {
    if (c >= 0x20 && c < 0x7f) out += c;
  }
  return out;
}

}  // namespace tollgate::app
