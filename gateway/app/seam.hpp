// Seam: where a reply that one provider began and another goes on with is sewn together. Takes out
// what the second one says again of what the client has, and white space that would stand twice.
// Holds text back only for as long as it may be such a repetition. One a continuation; pure.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::app {

class Seam {
 public:
  /// What the provider was asked for: to go on behind the text (a prefill), so that only a long
  /// repetition is one; or to say its last words again.
  enum class Start : std::uint8_t { behind, with_last_words };

  /// `so_far`: what the client has of the reply.
  Seam(std::string so_far, Start start);

  /// The next text of the continuation; answers what the client is to be shown now.
  [[nodiscard]] std::string feed(std::string_view text);
  /// It has ended: what was still held back.
  [[nodiscard]] std::string finish();

 private:
  [[nodiscard]] bool starts_word(std::size_t at) const;
  [[nodiscard]] bool is_long_enough(std::size_t at) const;
  void look_for_repetition();
  void join();

  std::string so_far_;  // without the white space at its end
  std::string space_;   // which is this
  Start start_;
  std::vector<std::size_t> candidates_;  // places in so_far_ from which on it may be said again
  std::size_t repeated_ = 0;             // bytes that were, as far as is known
  std::string held_;
  enum class State : std::uint8_t { repetition, space, joined } state_ = State::repetition;
};

/// The last words of a text, for somebody to say again; whole where it is short.
[[nodiscard]] std::string_view last_words(std::string_view text);

}  // namespace tollgate::app
