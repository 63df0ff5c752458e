// PartialArgs: a function call's arguments as Gemini streams them on demand, a path and a piece of
// a value at a time, put together to JSON. One call each; one thread.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "gateway/wire/json_view.hpp"
#include "routing/providers/json_tree.hpp"

namespace tollgate::routing::gemini {

class PartialArgs {
 public:
  /// Takes one item of `partialArgs`: `{jsonPath, stringValue|numberValue|boolValue|nullValue,
  /// willContinue}`. What no path can mean is ignored; arrays grow by one item at a time.
  void add(const wire::JsonView& piece);
  [[nodiscard]] std::string json() const;

 private:
  JsonTree* place(std::string_view path);
  JsonTree* step_into(JsonTree& at, std::string_view& path);

  JsonTree root_ = JsonTree::object();
  std::string open_path_;  ///< of a string whose next piece belongs to it
};

}  // namespace tollgate::routing::gemini
