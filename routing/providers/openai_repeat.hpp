// RepeatedChunk: the chunks of one stream mostly say the same but for a piece of text. One that
// repeats the last needs no reading: what stands around the text is compared, the text is found.
// Used by the openai decoder of a relay, one for each reply. Pure.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace tollgate::routing::openai {

class RepeatedChunk {
 public:
  /// `chunk` was read as JSON and says nothing new but `text`: the inside of a JSON string, a view
  /// into it.
  void learn(std::string_view chunk, std::string_view text);
  /// Whether `chunk` is that one with another text, which is put into `text`, checked and as it is
  /// escaped.
  [[nodiscard]] bool matches(std::string_view chunk, std::string_view& text);

 private:
  static constexpr int tries = 8;

  std::string before_, after_;  // of the text; its quotes included
  int tries_left_ = tries;      // some providers vary every chunk: not worth a look each time
};

}  // namespace tollgate::routing::openai
