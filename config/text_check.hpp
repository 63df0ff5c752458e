// Checks and escapes of plain text that YAML, JSON and messages share. Pure; any thread.
// Called by the parser, the expander and the writers of this folder.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace tollgate::config {

struct BadText {
  int line = 1, column = 1;
  std::string_view what;
};
/// The first byte that is no UTF-8, or a control character that YAML forbids. (yaml-cpp takes
/// U+0004 for the end of the file and would drop the rest without a word.)
[[nodiscard]] std::optional<BadText> find_bad_text(std::string_view text);
/// True for text with a control character, line breaks included.
[[nodiscard]] bool has_control(std::string_view text);
/// `text` as a JSON string with its quotes; valid YAML too.
[[nodiscard]] std::string json_quoted(std::string_view text);

}  // namespace tollgate::config
