// What the openai codec's unit tests share: one call that encodes, one that decodes.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/error.hpp"
#include "routing/provider.hpp"

namespace tollgate::routing::openai::test {

struct Asked {
  Endpoint endpoint = Endpoint::chat;
  std::string_view model = "upstream";
  std::string_view api_key = "the-key";
  std::vector<std::string> allow_fields = {};
  std::vector<RawField> defaults = {};
  std::optional<std::uint64_t> limit = {};  ///< what a budget leaves of the output
  bool own_host = false;
};

/// What went upstream, or the parameter that the 400 names.
struct Sent {
  std::string body, target, error_param;
  HeaderList headers;
  DecodeHints hints;
};
[[nodiscard]] Sent encode(std::string_view request, const Asked& asked = {});

/// A decoded reply: its events, one a line ("text hi", "finish stop"), and how it ended.
struct Got {
  std::string events;
  Result<void> result;
};
[[nodiscard]] Got decode(std::string_view body, const DecodeHints& hints = {}, int status = 200,
                         const HeaderList& headers = {});
/// The bytes of every frame, as a relay would pass them on, when the reply comes in these pieces.
[[nodiscard]] std::string frames_of(const std::vector<std::string_view>& pieces,
                                    const DecodeHints& hints);
/// The same as decode for a stream whose events hold these JSON texts; "[DONE]" is one of them.
[[nodiscard]] Got decode_stream(const std::vector<std::string>& chunks, bool relay = false);
/// A chunk with one choice of index 0.
[[nodiscard]] std::string chunk(std::string_view delta, std::string_view finish = "null");

}  // namespace tollgate::routing::openai::test
