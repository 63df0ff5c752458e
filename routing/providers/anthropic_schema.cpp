// JSON schemas as Anthropic takes them: the subset of structured output, and plain objects for the
// input of tools.
#include <algorithm>
#include <array>
#include <optional>

#include "gateway/wire/json_view.hpp"
#include "routing/providers/anthropic_request.hpp"
#include "routing/providers/json_tree.hpp"

namespace tollgate::routing::anthropic {
namespace {

using Kind = JsonTree::Kind;

/// Refused in a schema that output is held to; the description still tells the model what was meant
/// where the client wrote it there.
constexpr std::array<std::string_view, 15> refused_keywords{
    "minimum",     "maximum",       "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
    "pattern",     "minLength",     "maxLength",        "minItems",         "maxItems",
    "uniqueItems", "minProperties", "maxProperties",    "minContains",      "maxContains"};
constexpr std::array<std::string_view, 3> unions{"oneOf", "anyOf", "allOf"};
/// Members whose members are schemas, and members that are schemas or lists of them.
constexpr std::array<std::string_view, 3> schema_maps{"properties", "$defs", "definitions"};
constexpr std::array<std::string_view, 4> schema_values{"items", "anyOf", "oneOf", "allOf"};

bool contains(const auto& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

bool describes_object(const JsonTree& schema) {
  if (schema.find("properties") != nullptr) return true;
  const JsonTree* type = schema.find("type");
  if (type == nullptr) return false;
  if (type->is(Kind::string)) return type->text == "object";
  return std::ranges::any_of(type->items, [](const JsonTree& t) { return t.text == "object"; });
}

void restrict(JsonTree& schema);

void restrict_member(JsonMember& member) {
  if (contains(schema_maps, member.name)) {
    for (JsonMember& inner : member.value.members)
      restrict(inner.value);
  } else if (contains(schema_values, member.name)) {
    restrict(member.value);
    for (JsonTree& item : member.value.items)
      restrict(item);
  }
}

void restrict(JsonTree& schema) {
  if (!schema.is(Kind::object)) return;
  std::erase_if(schema.members,
                [](const JsonMember& m) { return contains(refused_keywords, m.name); });
  for (JsonMember& member : schema.members) {
    restrict_member(member);
    if (member.name == "oneOf") member.name = "anyOf";
  }
  if (describes_object(schema)) schema.set("additionalProperties", JsonTree::boolean(false));
}

/// `#/$defs/Name`, one step: where a union's branch is written elsewhere in the schema.
const JsonTree& resolved(const JsonTree& root, const JsonTree& branch) {
  const JsonTree* ref = branch.find("$ref");
  if (ref == nullptr || !ref->text.starts_with("#/")) return branch;
  const auto slash = ref->text.find('/', 2);
  if (slash == std::string::npos) return branch;
  const JsonTree* group = root.find(ref->text.substr(2, slash - 2));
  const JsonTree* found = group == nullptr ? nullptr : group->find(ref->text.substr(slash + 1));
  return found == nullptr ? branch : *found;
}

/// What a branch of a top-level union allows becomes allowed at the top; what allOf demands stays
/// demanded.
void absorb(JsonTree& schema, const JsonTree& branch, bool demands) {
  if (const JsonTree* properties = branch.find("properties")) {
    if (schema.find("properties") == nullptr) schema.set("properties", JsonTree::object());
    JsonTree* all = schema.find("properties");
    for (const JsonMember& property : properties->members) {
      if (all->find(property.name) == nullptr) all->set(property.name, property.value);
    }
  }
  const JsonTree* required = branch.find("required");
  if (!demands || required == nullptr) return;
  if (schema.find("required") == nullptr) schema.set("required", JsonTree::array());
  JsonTree* all = schema.find("required");
  for (const JsonTree& name : required->items) {
    if (std::ranges::find(all->items, name.text, &JsonTree::text) == all->items.end()) {
      all->items.push_back(name);
    }
  }
}

void flatten(JsonTree& schema) {
  for (const std::string_view name : unions) {
    const JsonTree* found = schema.find(name);
    if (found == nullptr) continue;
    const JsonTree branches = *found;
    schema.erase(name);
    for (const JsonTree& branch : branches.items) {
      const JsonTree whole = resolved(schema, branch);
      absorb(schema, whole, name == "allOf");
    }
  }
  schema.set("type", JsonTree::string("object"));
}

bool is_plain_object(const wire::JsonView& schema) {
  return schema["type"].text() == R"("object")" &&
         std::ranges::none_of(unions, [&](std::string_view name) { return bool(schema[name]); });
}

}  // namespace

std::string output_schema(std::string_view schema) {
  auto tree = read_json(schema);
  if (!tree) return std::string(schema);
  restrict(*tree);
  std::string out;
  write_json(*tree, out);
  return out;
}

std::string input_schema(std::string_view parameters) {
  constexpr std::string_view nothing = R"({"type":"object","properties":{}})";
  const wire::JsonView view(parameters);
  if (!view.is_object()) return std::string(nothing);
  // The client's own bytes where they will do: number text and spacing keep prompt caches warm.
  if (is_plain_object(view)) return std::string(parameters);
  auto tree = read_json(parameters);
  if (!tree) return std::string(nothing);
  flatten(*tree);
  std::string out;
  write_json(*tree, out);
  return out;
}

}  // namespace tollgate::routing::anthropic
