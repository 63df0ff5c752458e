#include "routing/providers/gemini_partial_args.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace tollgate::routing::gemini {
namespace {

constexpr int depth_max = 64;

JsonTree value_of(const wire::JsonView& piece) {
  JsonTree tree;
  if (const auto number = piece["numberValue"]) {
    tree.kind = JsonTree::Kind::number;
    tree.text = number.text();
  } else if (const auto truth = piece["boolValue"]) {
    tree = JsonTree::boolean(truth.text() == "true");
  } else if (const auto text = piece["stringValue"]) {
    tree = JsonTree::string(text.string());
  }
  return tree;
}

}  // namespace

void PartialArgs::add(const wire::JsonView& piece) {
  const std::string path = piece["jsonPath"].string();
  JsonTree* at = place(path);
  if (!at || at == &root_) return;
  const auto text = piece["stringValue"];
  if (text && at->is(JsonTree::Kind::string) && open_path_ == path) {
    at->text += text.string();
  } else {
    *at = value_of(piece);
  }
  const bool goes_on = piece["willContinue"].text() == "true";
  open_path_ = goes_on ? path : std::string();
}

/// The value at `$.a.b[0]`, made where it is not there yet.
JsonTree* PartialArgs::place(std::string_view path) {
  if (!path.starts_with('$')) return nullptr;
  path.remove_prefix(1);
  JsonTree* at = &root_;
  for (int depth = 0; at && !path.empty(); ++depth) {
    if (depth == depth_max) return nullptr;
    at = step_into(*at, path);
  }
  return at;
}

/// Takes one step off `path`: `.name`, `['name']` or `[index]`.
JsonTree* PartialArgs::step_into(JsonTree& at, std::string_view& path) {
  using Kind = JsonTree::Kind;
  const bool dotted = path.front() == '.';
  if (!dotted && path.front() != '[') return nullptr;
  path.remove_prefix(1);
  const auto end = std::min(dotted ? path.find_first_of(".[") : path.find(']'), path.size());
  std::string_view name = path.substr(0, end);
  path.remove_prefix(dotted ? end : std::min(end + 1, path.size()));
  const bool quoted = !dotted && name.size() >= 2 && (name.front() == '\'' || name.front() == '"');
  if (quoted) name = name.substr(1, name.size() - 2);
  if (dotted || quoted) {
    if (!at.is(Kind::object)) at = JsonTree::object();
    JsonTree* found = at.find(name);
    return found ? found : &at.set(name, JsonTree{});
  }
  std::size_t index = 0;
  const auto [stop, error] = std::from_chars(name.data(), name.data() + name.size(), index);
  if (error != std::errc() || stop != name.data() + name.size()) return nullptr;
  if (!at.is(Kind::array)) at = JsonTree::array();
  // An index far ahead would make us build what nobody sent.
  if (index > at.items.size()) return nullptr;
  if (index == at.items.size()) at.items.emplace_back();
  return &at.items[index];
}

std::string PartialArgs::json() const {
  std::string out;
  write_json(root_, out);
  return out;
}

}  // namespace tollgate::routing::gemini
