// JsonShape: the top level of a request body, read once without building a document.
// Every name is unescaped (so "mod\u0065l" is "model"), a duplicate is an error, depth, NUL and
// UTF-8 are checked over the whole body. Pure; views point into the body.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/error.hpp"

namespace tollgate::wire {

class JsonScanner;

struct JsonField {
  std::string_view name;    ///< unescaped
  std::string_view value;   ///< the value's JSON text, trimmed
  std::size_t name_at = 0;  ///< offset of the name's opening quote in the body
  [[nodiscard]] std::size_t value_at(std::string_view body) const {
    return static_cast<std::size_t>(value.data() - body.data());
  }
  [[nodiscard]] bool is_null() const { return value == "null"; }
};

inline constexpr int json_depth_max = 64;

class JsonShape {
 public:
  /// Reads `body`, which must be one JSON object, nested at most `depth_max` deep, valid UTF-8,
  /// syntactically whole. `watched`: see saw_watched. Errors: 400 invalid_request naming what is
  /// wrong (never echoing content).
  static Result<JsonShape> read(std::string_view body, int depth_max = json_depth_max,
                                std::string_view watched = {});

  /// The member of that name, or nullptr; JSON null counts as absent.
  [[nodiscard]] const JsonField* find(std::string_view name) const;
  [[nodiscard]] const std::vector<JsonField>& fields() const { return fields_; }
  /// A member of the watched name stands somewhere in it, at whatever depth, however it is spelt.
  [[nodiscard]] bool saw_watched() const { return saw_watched_; }
  /// How many messages `messages` holds, where each is an object of role, name and content alone,
  /// and these are strings; else nothing. Who looks for more than text in them need not.
  [[nodiscard]] std::optional<std::size_t> plain_messages() const { return plain_messages_; }
  /// Where a new member can be inserted: right behind the opening brace.
  [[nodiscard]] std::size_t insert_at() const { return insert_at_; }

  JsonShape() = default;
  JsonShape(JsonShape&&) noexcept = default;
  JsonShape& operator=(JsonShape&&) noexcept = default;
  JsonShape(const JsonShape&) = delete;
  JsonShape& operator=(const JsonShape&) = delete;

 private:
  static Result<JsonShape> read_object(JsonScanner& scan, std::string_view watched);
  Result<void> read_members(JsonScanner& scan);
  bool read_member(JsonScanner& scan);
  bool read_messages(JsonScanner& scan);

  std::vector<JsonField> fields_;
  std::vector<std::unique_ptr<std::string>> names_;  // names that had escapes
  std::size_t insert_at_ = 0;
  std::optional<std::size_t> plain_messages_;
  bool saw_watched_ = false;
};

/// The unescaped text of a JSON string value (with its quotes). Lone surrogates become U+FFFD.
[[nodiscard]] std::optional<std::string> json_string(std::string_view value);
[[nodiscard]] std::optional<std::int64_t> json_int(std::string_view value);  ///< 5, 5.0; not 5.5
[[nodiscard]] std::optional<double> json_double(std::string_view value);
[[nodiscard]] std::optional<bool> json_bool(std::string_view value);

}  // namespace tollgate::wire
