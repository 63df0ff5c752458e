// Decodes replies and encodes requests for the tests of this folder, as short readable texts.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "routing/provider.hpp"

namespace tollgate::routing::anthropic::test {

/// One `data:` event with its name; `json` begins behind `{"type":NAME`: empty, or `,"index":0`.
[[nodiscard]] std::string event(std::string_view name, std::string_view json = {});
/// message_start with id `msg_1` and a usage of 3 in, 1 out.
[[nodiscard]] std::string start();
[[nodiscard]] std::string block_start(int index, std::string_view block);
[[nodiscard]] std::string block_delta(int index, std::string_view delta);
[[nodiscard]] std::string block_stop(int index);
/// message_delta with that reason, then message_stop.
[[nodiscard]] std::string end(std::string_view reason);

/// What came of a reply: one line an event ("text: Hello", "tool 0: id name args"), then "ended" or
/// "error: CODE STATUS". Usage events are left out.
struct Decoded {
  std::string log;
  Usage usage;
  Result<void> result;
};
[[nodiscard]] Decoded decode(std::string_view body, const DecodeHints& hints,
                             const ResponseHead& head);
[[nodiscard]] Decoded decode_stream(std::string_view body, const DecodeHints& hints = {});
[[nodiscard]] Decoded decode_whole(std::string_view body, const DecodeHints& hints = {});

/// The encoded body under the limit that a budget leaves, or "error PARAM: MESSAGE".
struct EncodedText {
  std::string body, dropped, error_param;
  HeaderList headers;
  std::string target;
  DecodeHints hints;
};
[[nodiscard]] EncodedText encode(std::string_view request, std::string_view model,
                                 bool refuse = false, std::optional<std::uint64_t> limit = {});

}  // namespace tollgate::routing::anthropic::test
