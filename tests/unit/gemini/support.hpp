// What the Gemini codec's unit tests share: one call that encodes, one that decodes.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/error.hpp"
#include "routing/provider.hpp"

namespace tollgate::routing::gemini::test {

/// An encoded request, or the parameter that the 400 names.
struct Sent {
  std::string body, target, dropped;  ///< dropped: joined with commas
  std::string error_param;
  ErrorKind error_kind = ErrorKind::internal;
  DecodeHints hints;
};

struct Options {
  std::string_view model = "gemini-2.5-flash";
  bool refuse = false;
  std::string_view base_path = "";
  Endpoint endpoint = Endpoint::chat;
  std::optional<std::uint64_t> limit = {};  ///< what a budget leaves of the output
};

/// Encodes a client's request. An error that is no 400 or 404 fails the test.
[[nodiscard]] Sent encode(std::string_view request, const Options& options = {});
/// The same for one user message with further top-level members.
[[nodiscard]] Sent encode_with(std::string_view members, const Options& options = {});

/// A decoded reply: its events as one line each ("text hi", "finish stop"), and the error's kind.
struct Got {
  std::vector<std::string> events;
  Result<void> result;
  [[nodiscard]] std::string joined() const;  ///< events, one a line
};

[[nodiscard]] Got decode(std::string_view body, int status = 200,
                         std::string_view content_type = "text/event-stream",
                         const DecodeHints& hints = {});
/// `data:` events of a stream, one JSON each.
[[nodiscard]] std::string stream_of(const std::vector<std::string>& responses);

}  // namespace tollgate::routing::gemini::test
