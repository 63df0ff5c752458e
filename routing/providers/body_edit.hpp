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
  BodyEdit(std::string_view body, const wire::JsonShape& shape);

  /// Puts `json` where the member's value stands; adds the member when it is not there.
  void set(std::string_view name, std::string json);
  /// Takes the member out, if it is there.
  void remove(std::string_view name);
  /// The member of that name even when it is null, or nullptr.
  [[nodiscard]] const wire::JsonField* find(std::string_view name) const;
  [[nodiscard]] Pieces pieces() const;

 private:
  struct Change {
    std::size_t begin, end;
    std::string text;
  };
  /// What becomes of one member.
  struct Member {
    const wire::JsonField* field;
    bool removed = false;
    bool replaced = false;
    std::string value;
  };
  [[nodiscard]] std::size_t end_of(const Member& member) const;
  [[nodiscard]] std::vector<Change> changes() const;
  [[nodiscard]] std::string inserted(bool something_behind) const;

  std::string_view body_;
  const wire::JsonShape& shape_;
  std::vector<Member> members_;
  std::vector<std::pair<std::string, std::string>> added_;
};

}  // namespace tollgate::routing
