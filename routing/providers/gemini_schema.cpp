#include "routing/providers/gemini_schema.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "routing/providers/json_tree.hpp"

namespace tollgate::routing::gemini {
namespace {

using Kind = JsonTree::Kind;

/// Members that pass unchanged where they have the right type.
struct Plain {
  std::string_view name;
  Kind kind;
};
constexpr std::array plain_members{
    Plain{"title", Kind::string},     Plain{"description", Kind::string},
    Plain{"nullable", Kind::boolean}, Plain{"pattern", Kind::string},
    Plain{"minimum", Kind::number},   Plain{"maximum", Kind::number}};
/// Whole numbers, which are int64 and so strings in Google's JSON.
constexpr std::array<std::string_view, 6> counts{"minItems",  "maxItems",      "minLength",
                                                 "maxLength", "minProperties", "maxProperties"};
/// `format` is refused with any other word.
constexpr std::array<std::string_view, 6> formats{"date-time", "enum",  "float",
                                                  "double",    "int32", "int64"};

struct TypeName {
  std::string_view json, gemini;
};
constexpr std::array type_names{TypeName{"string", "STRING"},   TypeName{"number", "NUMBER"},
                                TypeName{"integer", "INTEGER"}, TypeName{"boolean", "BOOLEAN"},
                                TypeName{"array", "ARRAY"},     TypeName{"object", "OBJECT"},
                                TypeName{"null", "NULL"}};

std::string_view gemini_type(std::string_view json) {
  for (const TypeName& row : type_names) {
    if (row.json == json || row.gemini == json) return row.gemini;
  }
  return {};
}

bool is_string(const JsonTree* value) { return value && value->is(Kind::string); }
bool is_array(const JsonTree* value) { return value && value->is(Kind::array); }
bool is_object(const JsonTree* value) { return value && value->is(Kind::object); }

bool is_null_schema(const JsonTree& schema) {
  const JsonTree* type = schema.find("type");
  return is_string(type) && gemini_type(type->text) == "NULL";
}

JsonTree typed(std::string_view type) {
  JsonTree schema = JsonTree::object();
  schema.set("type", JsonTree::string(type));
  return schema;
}

/// What a copy of the value costs, in bytes or so.
std::int64_t weight(const JsonTree& value) {
  auto sum = static_cast<std::int64_t>(value.text.size()) + 1;
  for (const JsonTree& item : value.items)
    sum += weight(item);
  for (const JsonMember& member : value.members)
    sum += weight(member.value);
  return sum;
}

/// One pass over one schema. `budget_` bounds what references unfold to (n definitions that each
/// name the next twice would otherwise make 2^n schemas), `depth_` how deep.
class Cleaner {
 public:
  explicit Cleaner(const JsonTree& root) : root_(root) {}
  [[nodiscard]] bool exhausted() const { return budget_ <= 0; }

  JsonTree clean(const JsonTree& given) {
    if (depth_ == depth_max) budget_ = 0;
    if (--budget_ <= 0 || !given.is(Kind::object)) return JsonTree::object();
    ++depth_;
    const auto names_before = open_refs_.size();
    JsonTree schema = flatten(given);
    JsonTree out = clean_flat(schema);
    open_refs_.resize(names_before);
    --depth_;
    return out;
  }

 private:
  /// References and `allOf` resolved into one schema without either.
  JsonTree flatten(const JsonTree& given) {
    JsonTree schema = given;
    while (const JsonTree* ref = schema.find("$ref")) {
      if (--budget_ <= 0) return JsonTree::object();
      const std::string name = ref->text;
      schema.erase("$ref");
      const JsonTree* target = is_open(name) ? nullptr : resolve(name);
      if (!target) {
        // A schema inside itself has no end in a format without references.
        if (!schema.find("type")) schema.set("type", JsonTree::string("object"));
        break;
      }
      budget_ -= weight(*target);
      open_refs_.push_back(name);
      merge(schema, *target);
    }
    if (const JsonTree* all = schema.find("allOf"); is_array(all)) {
      const std::vector<JsonTree> branches = all->items;
      schema.erase("allOf");
      for (const JsonTree& branch : branches) {
        if (branch.is(Kind::object) && --budget_ > 0) merge(schema, flatten(branch));
      }
    }
    return schema;
  }

  [[nodiscard]] bool is_open(std::string_view name) const {
    return std::ranges::find(open_refs_, name) != open_refs_.end();
  }

  /// `#/a/b` within the root, or nullptr.
  [[nodiscard]] const JsonTree* resolve(std::string_view ref) const {
    if (!ref.starts_with('#')) return nullptr;
    ref.remove_prefix(1);
    const JsonTree* at = &root_;
    while (at && ref.starts_with('/')) {
      ref.remove_prefix(1);
      const auto end = std::min(ref.find('/'), ref.size());
      at = at->find(unescape_pointer(ref.substr(0, end)));
      ref.remove_prefix(end);
    }
    return is_object(at) && ref.empty() ? at : nullptr;
  }

  static std::string unescape_pointer(std::string_view step) {
    std::string out;
    for (std::size_t i = 0; i < step.size(); ++i) {
      const bool escape = step[i] == '~' && i + 1 < step.size();
      out += escape ? (step[++i] == '0' ? '~' : '/') : step[i];
    }
    return out;
  }

  /// Adds what `extra` says to `schema`: members and required names are united, else the first
  /// word stands.
  void merge(JsonTree& schema, const JsonTree& extra) {
    for (const JsonMember& member : extra.members) {
      budget_ -= static_cast<std::int64_t>(schema.members.size());
      if (budget_ <= 0) return;
      JsonTree* own = schema.find(member.name);
      if (!own) {
        schema.set(member.name, member.value);
      } else if (member.name == "properties" && is_object(own)) {
        merge(*own, member.value);
      } else if (member.name == "required" && is_array(own)) {
        own->items.insert(own->items.end(), member.value.items.begin(), member.value.items.end());
      }
    }
  }

  JsonTree clean_flat(JsonTree& schema) {
    if (JsonTree* one = schema.find("oneOf"); is_array(one)) {
      JsonTree any = std::move(*one);
      schema.erase("oneOf");
      if (!schema.find("anyOf")) schema.set("anyOf", std::move(any));
    }
    split_type_list(schema);
    if (const JsonTree* any = schema.find("anyOf"); is_array(any)) {
      if (!any->items.empty()) return clean_union(schema);
      schema.erase("anyOf");
    }
    return clean_single(schema);
  }

  /// `"type": ["string", "null"]` becomes nullable; several types become a union.
  static void split_type_list(JsonTree& schema) {
    const JsonTree* types = schema.find("type");
    if (!is_array(types)) return;
    std::vector<JsonTree> names;
    for (const JsonTree& type : types->items) {
      if (!type.is(Kind::string)) continue;
      if (gemini_type(type.text) == "NULL") {
        schema.set("nullable", JsonTree::boolean(true));
      } else {
        names.push_back(type);
      }
    }
    if (names.size() == 1) {
      schema.set("type", names.front());
      return;
    }
    schema.erase("type");
    if (names.empty() || schema.find("anyOf")) return;
    JsonTree any = JsonTree::array();
    for (const JsonTree& name : names) {
      JsonTree branch = schema;
      branch.set("type", name);
      any.items.push_back(std::move(branch));
    }
    schema = JsonTree::object();
    schema.set("anyOf", std::move(any));
  }

  /// `anyOf` must be the only member, so null becomes `nullable` in each branch, and what stands
  /// beside the union moves into its branches.
  JsonTree clean_union(const JsonTree& schema) {
    JsonTree outer = schema;
    outer.erase("anyOf");
    bool nullable = outer.find("nullable") != nullptr;
    std::vector<JsonTree> branches;
    for (const JsonTree& given : schema.find("anyOf")->items) {
      if (given.is(Kind::object) && is_null_schema(given)) {
        nullable = true;
        continue;
      }
      JsonTree branch = given.is(Kind::object) ? given : JsonTree::object();
      merge(branch, outer);
      branches.push_back(clean(branch));
    }
    if (branches.empty()) branches.push_back(typed("STRING"));
    if (nullable) {
      for (JsonTree& branch : branches)
        branch.set("nullable", JsonTree::boolean(true));
    }
    if (branches.size() == 1) return std::move(branches.front());
    JsonTree out = JsonTree::object();
    out.set("anyOf", JsonTree::array()).items = std::move(branches);
    return out;
  }

  JsonTree clean_single(const JsonTree& schema) {
    JsonTree out = JsonTree::object();
    const std::string_view type = type_of(schema);
    if (!type.empty()) out.set("type", JsonTree::string(type));
    for (const JsonMember& member : schema.members)
      copy_member(member, out);
    copy_values(schema, out);
    if (type == "ARRAY") out.set("items", clean_items(schema));
    if (type == "OBJECT") copy_properties(schema, out);
    return out;
  }

  static std::string_view type_of(const JsonTree& schema) {
    if (const JsonTree* type = schema.find("type"); is_string(type)) {
      return gemini_type(type->text);
    }
    if (is_object(schema.find("properties"))) return "OBJECT";
    if (schema.find("items") || schema.find("prefixItems")) return "ARRAY";
    for (std::string_view name : {"enum", "const"}) {
      if (const JsonTree* value = schema.find(name)) return type_of_value(*value);
    }
    return {};
  }

  static std::string_view type_of_value(const JsonTree& value) {
    switch (value.kind) {
      case Kind::array:
        return value.items.empty() ? std::string_view{} : type_of_value(value.items.front());
      case Kind::number:
        return value.text.find_first_of(".eE") == std::string::npos ? "INTEGER" : "NUMBER";
      case Kind::boolean:
        return "BOOLEAN";
      case Kind::object:
        return "OBJECT";
      default:
        return "STRING";
    }
  }

  static void copy_member(const JsonMember& member, JsonTree& out) {
    const auto& [name, value] = member;
    const auto plain = std::ranges::find(plain_members, name, &Plain::name);
    if (plain != plain_members.end() && value.is(plain->kind)) {
      out.set(name, value);
    } else if (name == "default" || name == "example") {
      out.set(name, value);
    } else if (std::ranges::find(counts, name) != counts.end() && value.is(Kind::number) &&
               value.text.find_first_not_of("0123456789") == std::string::npos) {
      out.set(name, JsonTree::string(value.text));
    } else if (name == "format" && value.is(Kind::string) &&
               std::ranges::find(formats, value.text) != formats.end()) {
      out.set(name, value);
    }
  }

  /// `enum` and `const`. Gemini's enums are strings; turning numbers into strings would make the
  /// model answer with strings, so other values are told in the description instead.
  static void copy_values(const JsonTree& schema, JsonTree& out) {
    std::vector<JsonTree> values;
    if (const JsonTree* one = schema.find("const")) values.push_back(*one);
    if (const JsonTree* several = schema.find("enum"); is_array(several)) values = several->items;
    if (std::erase_if(values, [](const JsonTree& v) { return v.is(Kind::null); }) > 0) {
      out.set("nullable", JsonTree::boolean(true));
    }
    if (values.empty()) return;
    if (std::ranges::all_of(values, [](const JsonTree& v) { return v.is(Kind::string); })) {
      out.set("type", JsonTree::string("STRING"));
      out.set("enum", JsonTree::array()).items = std::move(values);
      return;
    }
    const JsonTree* said = out.find("description");
    std::string text = said ? said->text + " Allowed values: " : "Allowed values: ";
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (i != 0) text += ", ";
      write_json(values[i], text);
    }
    out.set("description", JsonTree::string(text));
  }

  /// Gemini wants `items` in every array; a tuple becomes a list of any of its types.
  JsonTree clean_items(const JsonTree& schema) {
    const JsonTree* items = schema.find("items");
    if (is_object(items)) return clean(*items);
    const JsonTree* tuple = is_array(items) ? items : schema.find("prefixItems");
    if (!is_array(tuple) || tuple->items.empty()) return typed("STRING");
    JsonTree any = JsonTree::object();
    any.set("anyOf", JsonTree::array()).items = tuple->items;
    return clean(any);
  }

  void copy_properties(const JsonTree& schema, JsonTree& out) {
    const JsonTree* properties = schema.find("properties");
    if (!is_object(properties) || properties->members.empty()) return;
    JsonTree cleaned = JsonTree::object();
    for (const auto& [name, value] : properties->members)
      cleaned.members.push_back({name, clean(value)});
    for (std::string_view list : {"required", "propertyOrdering"}) {
      JsonTree known = JsonTree::array();
      const JsonTree* names = schema.find(list);
      if (!is_array(names)) continue;
      budget_ -= static_cast<std::int64_t>(names->items.size() * cleaned.members.size());
      if (budget_ <= 0) return;
      for (const JsonTree& name : names->items) {
        const bool seen = std::ranges::any_of(
            known.items, [&](const JsonTree& other) { return other.text == name.text; });
        if (name.is(Kind::string) && cleaned.find(name.text) && !seen) known.items.push_back(name);
      }
      if (!known.items.empty()) out.set(list, std::move(known));
    }
    out.set("properties", std::move(cleaned));
  }

  const JsonTree& root_;
  std::vector<std::string> open_refs_;
  static constexpr int depth_max = 128;
  std::int64_t budget_ = 16 << 20;
  int depth_ = 0;
};

Result<JsonTree> read_schema(std::string_view json, std::string_view param) {
  auto schema = read_json(json);
  if (!schema || !schema->is(Kind::object)) {
    return fail(ErrorKind::invalid_request, "a schema must be a JSON object", std::string(param));
  }
  return std::move(*schema);
}

}  // namespace

Result<std::string> clean_schema(std::string_view json, std::string_view param) {
  auto schema = read_schema(json, param);
  if (!schema) return std::unexpected(schema.error());
  Cleaner cleaner(*schema);
  const JsonTree cleaned = cleaner.clean(*schema);
  if (cleaner.exhausted()) {
    return fail(ErrorKind::invalid_request, "the schema's references unfold to too much for Gemini",
                std::string(param));
  }
  std::string out;
  write_json(cleaned, out);
  return out;
}

Result<std::string> json_schema(std::string_view json, std::string_view param) {
  auto schema = read_schema(json, param);
  if (!schema) return std::unexpected(schema.error());
  schema->erase("$schema");
  std::string out;
  write_json(*schema, out);
  return out;
}

bool describes_nothing(std::string_view json) {
  const auto schema = read_json(json);
  if (!schema || !schema->is(Kind::object)) return true;
  for (std::string_view name : {"$ref", "anyOf", "oneOf", "allOf"}) {
    if (schema->find(name)) return false;
  }
  const JsonTree* properties = schema->find("properties");
  return !is_object(properties) || properties->members.empty();
}

}  // namespace tollgate::routing::gemini
