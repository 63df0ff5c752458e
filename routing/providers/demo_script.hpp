// DemoScript: what the demo model answers and when, as a pure function of the request. The demo
// provider encodes OpenAI-shaped requests; gateway/net's in-process upstream asks here and owns the
// timing. Parameters stand in the model name, joined by `,`: demo, rate=50 (words a second),
// delay=2s, words=200, status=503, die_after=10 (the connection dies after so many words).
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/http.hpp"

namespace tollgate::routing {

struct DemoStep {
  std::chrono::microseconds delay{0};  ///< since the step before, or since the head
  std::string bytes;                   ///< body bytes, framing not included
};

struct DemoScript {
  std::chrono::microseconds head_delay{0};  ///< from the request to the reply's head
  int status = 200;
  HeaderList headers;  ///< content-type and the like; no framing
  std::vector<DemoStep> steps;
  bool dies = false;  ///< after the last step the connection breaks instead of ending
};

/// The script for one request: `target` and `body` as Provider::encode made them, `created` in Unix
/// seconds. Never fails: what the demo cannot do is an error reply in OpenAI's shape. Equal
/// arguments give equal scripts.
[[nodiscard]] DemoScript make_demo_script(std::string_view target, std::string_view body,
                                          std::int64_t created);

}  // namespace tollgate::routing
