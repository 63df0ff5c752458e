// What request and response heads have in common: tokens, lists, lengths, persistence. Used by
// http_request.cpp and http_response.cpp only; pure, any thread.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "gateway/core/http.hpp"

namespace tollgate::wire {

/// More than any client or provider sends; every look-up walks over all of them.
constexpr std::size_t headers_max = 256;

/// How many of the first bytes may stand in a token.
[[nodiscard]] std::size_t token_length(std::string_view text);
[[nodiscard]] inline bool is_token(std::string_view text) {
  return !text.empty() && token_length(text) == text.size();
}
/// Digits and nothing else: no sign, no list, no space within, at most 2^62.
[[nodiscard]] std::optional<std::uint64_t> parse_length(std::string_view text);
/// Without the empty lines that some clients send behind a body (RFC 9112 2.2): at most two.
[[nodiscard]] std::string_view skip_empty_lines(std::string_view text);

/// Calls `visit` for each element of a comma-separated list, empty ones included.
template <class Visit>
void for_each_element(std::string_view list, Visit visit) {
  while (true) {
    const std::size_t comma = list.find(',');
    visit(trim(list.substr(0, comma)));
    if (comma == std::string_view::npos) return;
    list.remove_prefix(comma + 1);
  }
}

/// What `Connection` asks for; the version's own habit where it says nothing.
struct Persistence {
  bool close = false, keep = false;
  void read(std::string_view value);
  [[nodiscard]] bool decide(int minor_version) const {
    return !close && (minor_version >= 1 || keep);
  }
};

}  // namespace tollgate::wire
