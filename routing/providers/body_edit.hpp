// BodyEdit: a JSON body with pieces of it replaced, inserted or taken out, as views of the original
// between owned snippets. No document is built; what is not edited stays byte for byte.
// Used by encodes that relay; lives on one stack.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/pieces.hpp"
#include "gateway/wire/json_shape.hpp"

namespace tollgate::routing {

class BodyEdit {
 public:
  /// `body` and `shape` outlive this; `body` outlives the pieces.
  BodyEdit(std::string_view body, const wire::JsonShape& shape) : body_(body), shape_(shape) {}

  /// Puts `json` where the member's value stands; adds the member when it is not there.
  void set(std::string_view name, std::string json);
  /// Takes the member out, if it is there.
  void remove(std::string_view name);
  /// The member of that name even when it is null, or nullptr.
  [[nodiscard]] const wire::JsonField* find(std::string_view name) const;
  [[nodiscard]] Pieces pieces() const;

 private:
  /// What becomes of one member: another value, or none.
  struct Edit {
    const wire::JsonField* field;
    bool removed;
    std::string value;
  };
  [[nodiscard]] Edit& edit(const wire::JsonField& field);
  [[nodiscard]] bool removed(const wire::JsonField& field) const;
  [[nodiscard]] std::size_t end_of(const wire::JsonField& field) const;
  [[nodiscard]] std::size_t members_kept() const;
  [[nodiscard]] std::string inserted(bool something_behind) const;

  std::string_view body_;
  const wire::JsonShape& shape_;
  std::vector<Edit> edits_;  // in the body's order
  std::vector<std::pair<std::string, std::string>> added_;
};

}  // namespace tollgate::routing
