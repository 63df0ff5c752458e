// Replies: what the mock provider answers, rendered once before the first request: a whole reply
// and a stream for each of three dialects. A stream's deltas carry a stamp (bench/stamp.hpp) that
// is patched before each write. Immutable afterwards; one thread.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace tollgate::bench {

struct ReplySizes {
  std::size_t body_bytes = 1024;  ///< of a whole reply's JSON
  std::size_t text_bytes = 40;    ///< of a delta's text, its stamp included
};

/// A stream: `opening` (HTTP head and what comes before text), `delta` any number of times with
/// a stamp written at `stamp_at`, then `closing`.
struct StreamReply {
  std::string opening;
  std::string delta;
  std::size_t stamp_at = 0;
  std::string closing;
};

struct Replies {
  std::string whole;  ///< head and body
  StreamReply stream;
};

enum class Dialect { openai, anthropic, gemini };

Replies make_replies(Dialect dialect, const ReplySizes& sizes);

struct Asked {
  Dialect dialect = Dialect::openai;
  bool stream = false;
};

/// What a request with this target and body asks for; nothing: no such place.
std::optional<Asked> asked_by(std::string_view target, std::string_view body);

}  // namespace tollgate::bench
