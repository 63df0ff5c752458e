#include "routing/providers/json_tree.hpp"

#include <algorithm>

#include "gateway/wire/json_scan.hpp"
#include "gateway/wire/json_shape.hpp"
#include "gateway/wire/json_walk.hpp"
#include "gateway/wire/json_writer.hpp"

namespace tollgate::routing {
namespace {

using Kind = JsonTree::Kind;

JsonTree make(Kind kind, std::string_view text = {}) {
  JsonTree tree;
  tree.kind = kind;
  tree.text = text;
  return tree;
}

/// Builds from text that was checked whole, so nothing here can fail.
JsonTree build(std::string_view json) {
  JsonTree tree;
  switch (wire::json_kind(json)) {
    case wire::JsonKind::object:
      tree.kind = Kind::object;
      for (wire::JsonMembers walk(json); walk.next();)
        tree.members.push_back({std::string(walk.name()), build(walk.value())});
      return tree;
    case wire::JsonKind::array:
      tree.kind = Kind::array;
      for (wire::JsonElements walk(json); walk.next();)
        tree.items.push_back(build(walk.value()));
      return tree;
    case wire::JsonKind::string:
      return make(Kind::string, wire::json_string(json).value_or(""));
    case wire::JsonKind::boolean:
      return make(Kind::boolean, json);
    case wire::JsonKind::number:
      return make(Kind::number, json);
    case wire::JsonKind::null:
      break;
  }
  return tree;
}

template <class List, class F>
void write_list(const List& list, char open, char close, std::string& out, F write_one) {
  out += open;
  bool first = true;
  for (const auto& one : list) {
    if (!first) out += ',';
    first = false;
    write_one(one);
  }
  out += close;
}

}  // namespace

JsonTree JsonTree::string(std::string_view value) { return make(Kind::string, value); }
JsonTree JsonTree::boolean(bool value) { return make(Kind::boolean, value ? "true" : "false"); }
JsonTree JsonTree::array() { return make(Kind::array); }
JsonTree JsonTree::object() { return make(Kind::object); }

const JsonTree* JsonTree::find(std::string_view name) const {
  const auto at = std::ranges::find(members, name, &JsonMember::name);
  return at == members.end() ? nullptr : &at->value;
}

JsonTree* JsonTree::find(std::string_view name) {
  const auto at = std::ranges::find(members, name, &JsonMember::name);
  return at == members.end() ? nullptr : &at->value;
}

JsonTree& JsonTree::set(std::string_view name, JsonTree value) {
  if (JsonTree* old = find(name)) return *old = std::move(value);
  members.push_back({std::string(name), std::move(value)});
  return members.back().value;
}

void JsonTree::erase(std::string_view name) {
  std::erase_if(members, [&](const JsonMember& member) { return member.name == name; });
}

bool is_json(std::string_view json, int depth_max) {
  wire::JsonScanner scan(json, depth_max);
  scan.space();
  if (!scan.value()) return false;
  scan.space();
  return scan.at_end();
}

std::optional<JsonTree> read_json(std::string_view json, int depth_max) {
  if (!is_json(json, depth_max)) return std::nullopt;
  return build(wire::trim_json(json));
}

std::string compact_json(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (!in_string && (c == ' ' || c == '\t' || c == '\r' || c == '\n')) continue;
    out += c;
    if (c == '"') in_string = !in_string;
    if (in_string && c == '\\' && i + 1 < json.size()) out += json[++i];
  }
  return out;
}

void write_json(const JsonTree& value, std::string& out) {
  switch (value.kind) {
    case Kind::null:
      out += "null";
      return;
    case Kind::boolean:
    case Kind::number:
      out += value.text;
      return;
    case Kind::string:
      wire::append_quoted(out, value.text);
      return;
    case Kind::array:
      write_list(value.items, '[', ']', out, [&](const JsonTree& item) { write_json(item, out); });
      return;
    case Kind::object:
      write_list(value.members, '{', '}', out, [&](const JsonMember& member) {
        wire::append_quoted(out, member.name);
        out += ':';
        write_json(member.value, out);
      });
      return;
  }
}

}  // namespace tollgate::routing
