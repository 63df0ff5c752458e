// JsonView: a cursor over JSON text, without a document and without a copy: looks a member up,
// walks an array, reads a scalar. Used by provider decoders on replies that JsonShape::read has
// checked; on text that is no JSON every lookup simply finds nothing. Pure; views point into the
// text.
#pragma once
#include <array>
#include <cstdint>
#include <forward_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/block.hpp"

namespace tollgate::wire {

class JsonShape;

class JsonView {
 public:
  JsonView() = default;
  explicit JsonView(std::string_view text) : text_(text) {}

  /// False for what is absent, and for null.
  explicit operator bool() const { return !text_.empty() && text_ != "null"; }
  [[nodiscard]] std::string_view text() const { return text_; }
  [[nodiscard]] bool is_object() const { return text_.starts_with('{'); }
  [[nodiscard]] bool is_array() const { return text_.starts_with('['); }
  [[nodiscard]] bool is_string() const { return text_.starts_with('"'); }

  /// The member of that name (the last, where it is repeated); an absent one gives an empty view.
  JsonView operator[](std::string_view name) const;
  /// The elements of an array; none for anything else.
  [[nodiscard]] std::vector<JsonView> items() const;

  /// A string's text; empty for anything else. Lone surrogates become U+FFFD.
  [[nodiscard]] std::string string() const;
  /// The same as a view that lives as long as the batch. The JSON text must live that long too: a
  /// string without escapes is not copied.
  [[nodiscard]] std::string_view string_in(Batch& batch) const;
  [[nodiscard]] std::optional<std::int64_t> integer() const;
  /// An integer that is no less than 0: a count.
  [[nodiscard]] std::optional<std::uint64_t> count() const;

 private:
  std::string_view text_;
};

/// An object of which several members are wanted: they are found in one walk, and looked up without
/// another.
class JsonObject {
 public:
  explicit JsonObject(const JsonView& object);
  /// The object that `shape` was read from; it outlives this.
  explicit JsonObject(const JsonShape& shape);
  JsonObject(const JsonObject&) = delete;
  JsonObject& operator=(const JsonObject&) = delete;

  /// As JsonView's.
  JsonView operator[](std::string_view name) const;

 private:
  struct Member {
    std::string_view name, value;
  };
  void add(std::string_view name, std::string_view value);

  static constexpr std::size_t few = 16;
  std::array<Member, few> first_;
  std::size_t count_ = 0;  // of all members
  std::vector<Member> rest_;
  std::forward_list<std::string> unescaped_;  // names that had escapes; they never move
};

}  // namespace tollgate::wire
