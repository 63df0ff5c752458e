// How the openai_chat decoders read JSON values: each with the way that led to it, so that an error
// names its parameter (`messages[2].content[0].image_url`). The way is a chain of nodes on the
// stack, spelled out only for an error. Pure; over text that JsonShape has checked.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/core/error.hpp"
#include "gateway/wire/json_walk.hpp"

namespace tollgate::wire::openai {

/// A value's JSON text and its place. Lives no longer than its parent.
struct Node {
  std::string_view text;
  const Node* parent = nullptr;
  std::string_view name{};             ///< a member of its parent; or
  std::optional<std::size_t> index{};  ///< an element of it

  [[nodiscard]] Node member(std::string_view member_name, std::string_view value) const {
    return {value, this, member_name};
  }
  [[nodiscard]] Node element(std::size_t at, std::string_view value) const {
    return {value, this, {}, at};
  }
  /// The member of that name; JSON null counts as absent.
  [[nodiscard]] std::optional<Node> find(std::string_view member_name) const;
  [[nodiscard]] JsonKind kind() const { return json_kind(text); }
  [[nodiscard]] std::string path() const;
};

/// 400s in the API's own tone. They name places and kinds, never content.
[[nodiscard]] std::unexpected<Error> wrong_type(const Node& node, std::string_view expected);
[[nodiscard]] std::unexpected<Error> missing(const Node& parent, std::string_view name);
[[nodiscard]] std::unexpected<Error> bad_value(const Node& node, std::string_view rule);
/// The same fault in the operator's `defaults`, for which the client is not to blame.
[[nodiscard]] std::unexpected<Error> bad_default(const Error& error);

Result<void> read(const Node& node, std::string& out);
Result<void> read(const Node& node, bool& out);
Result<void> read(const Node& node, std::int64_t& out);
Result<void> read(const Node& node, double& out);
Result<void> read(const Node& node, std::vector<std::string>& out);

template <class T>
Result<void> read(const Node& node, std::optional<T>& out) {
  return read(node, out.emplace());
}

/// Keeps an object's own text.
Result<void> read_raw_object(const Node& node, std::string& out);

/// The member of that name, or the 400 that it is missing.
Result<Node> require(const Node& parent, std::string_view name);

/// Reads a member where it is present.
template <class T>
Result<void> read_member(const Node& parent, std::string_view name, T& out) {
  const auto node = parent.find(name);
  return node ? read(*node, out) : Result<void>{};
}

/// Reads a member that must be present.
template <class T>
Result<void> need_member(const Node& parent, std::string_view name, T& out) {
  const auto node = require(parent, name);
  return node ? read(*node, out) : std::unexpected(node.error());
}

/// Calls `each(element)` for every element until one fails.
template <class Each>
Result<void> read_array(const Node& node, std::string_view expected, Each&& each) {
  if (node.kind() != JsonKind::array) return wrong_type(node, expected);
  std::size_t at = 0;
  for (JsonElements elements(node.text); elements.next(); ++at) {
    if (auto done = each(node.element(at, elements.value())); !done) return done;
  }
  return {};
}

/// What to do with a member of an object that becomes a T.
template <class T>
struct Rule {
  std::string_view name;
  Result<void> (*read)(const Node& node, T& out);
};

template <class T, std::size_t N>
const Rule<T>* find_rule(const std::array<Rule<T>, N>& rules, std::string_view name) {
  for (const Rule<T>& rule : rules) {
    if (rule.name == name) return &rule;
  }
  return nullptr;
}

/// Applies the rules to an object's members. JSON null counts as absent; what has no rule is passed
/// over. `node.text` may go on behind the object: what stands there is returned.
template <class T, std::size_t N>
Result<std::string_view> read_members(const Node& node, const std::array<Rule<T>, N>& rules,
                                      T& out) {
  JsonMembers members(node.text);
  while (members.next()) {
    if (members.value() == "null") continue;
    const Rule<T>* rule = find_rule(rules, members.name());
    if (rule == nullptr) continue;
    if (auto done = rule->read(node.member(rule->name, members.value()), out); !done) {
      return std::unexpected(std::move(done.error()));
    }
  }
  return members.rest();
}

/// The same for text that is the object and no more, or something else.
template <class T, std::size_t N>
Result<void> read_object(const Node& node, const std::array<Rule<T>, N>& rules, T& out) {
  if (node.kind() != JsonKind::object) return wrong_type(node, "an object");
  auto read = read_members(node, rules, out);
  return read ? Result<void>{} : std::unexpected(std::move(read.error()));
}

/// Calls `each(element)` for every object of an array until one fails. The element's text goes on
/// behind it; `each` returns what stands there, so that the array is walked over once.
template <class Each>
Result<void> read_objects(const Node& node, Each&& each) {
  if (node.kind() != JsonKind::array) return wrong_type(node, "an array of objects");
  JsonElements elements(node.text);
  for (std::size_t at = 0;; ++at) {
    const std::string_view text = elements.open();
    if (text.empty()) return {};
    if (json_kind(text) != JsonKind::object) {
      return wrong_type(node.element(at, JsonCursor(text).value()), "an object");
    }
    const Result<std::string_view> rest = each(node.element(at, text));
    if (!rest) return std::unexpected(rest.error());
    elements.close(*rest);
  }
}

template <class>
struct OwnerOf;
template <class Owner, class Value>
struct OwnerOf<Value Owner::*> {
  using type = Owner;
};

/// A rule's action: reads into the struct's member.
template <auto Member>
Result<void> into(const Node& node, typename OwnerOf<decltype(Member)>::type& out) {
  return read(node, out.*Member);
}
/// A rule's action: keeps the object's text in the struct's member.
template <auto Member>
Result<void> raw_into(const Node& node, typename OwnerOf<decltype(Member)>::type& out) {
  return read_raw_object(node, out.*Member);
}

}  // namespace tollgate::wire::openai
