#include "routing/providers/demo_schema.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include "routing/providers/json_tree.hpp"

namespace tollgate::routing::demo {
namespace {

using Kind = JsonTree::Kind;

/// From here on only what must be there is made, so that recursive schemas end.
constexpr int frugal_depth = 6;
constexpr int depth_max = 24;
constexpr std::size_t items_max = 1000;
constexpr std::size_t nodes_max = 20000;

struct FormatExample {
  std::string_view format, example;
};
constexpr std::array format_examples{
    FormatExample{"date-time", "2024-05-17T09:30:00Z"},
    FormatExample{"date", "2024-05-17"},
    FormatExample{"time", "09:30:00Z"},
    FormatExample{"duration", "PT15M"},
    FormatExample{"email", "demo@example.com"},
    FormatExample{"idn-email", "demo@example.com"},
    FormatExample{"hostname", "example.com"},
    FormatExample{"ipv4", "192.0.2.1"},
    FormatExample{"ipv6", "2001:db8::1"},
    FormatExample{"uri", "https://example.com/demo"},
    FormatExample{"url", "https://example.com/demo"},
    FormatExample{"uri-reference", "/demo"},
    FormatExample{"uuid", "3f1c2a4e-5b6d-4c7e-8f90-a1b2c3d4e5f6"},
    FormatExample{"json-pointer", "/demo"},
    FormatExample{"byte", "ZGVtbw=="},
    FormatExample{"regex", "^demo$"},
};

JsonTree number_tree(double value) {
  JsonTree tree;
  tree.kind = Kind::number;
  std::array<char, 32> digits{};
  const bool whole = std::floor(value) == value && std::abs(value) < 1e15;
  const auto end = whole ? std::to_chars(digits.data(), digits.data() + digits.size(),
                                         static_cast<long long>(value))
                               .ptr
                         : std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  tree.text.assign(digits.data(), end);
  return tree;
}

std::optional<double> number_in(const JsonTree& schema, std::string_view name) {
  const JsonTree* found = schema.find(name);
  if (found == nullptr || !found->is(Kind::number)) return std::nullopt;
  double value = 0;
  const char* end = found->text.data() + found->text.size();
  if (std::from_chars(found->text.data(), end, value).ec != std::errc()) return std::nullopt;
  return value;
}

std::size_t size_in(const JsonTree& schema, std::string_view name, std::size_t otherwise) {
  const auto value = number_in(schema, name);
  if (!value || *value < 0) return otherwise;
  return static_cast<std::size_t>(std::min(*value, 1e9));
}

bool is_true(const JsonTree* value) {
  return value != nullptr && value->is(Kind::boolean) && value->text == "true";
}
bool is_false(const JsonTree* value) {
  return value != nullptr && value->is(Kind::boolean) && value->text == "false";
}

/// Adds what `from` demands to `into`: how allOf, a chosen branch and a $ref are joined with the
/// keywords beside them.
void merge(JsonTree& into, const JsonTree& from) {
  for (const JsonMember& member : from.members) {
    JsonTree* own = into.find(member.name);
    if (own == nullptr) {
      into.set(member.name, member.value);
    } else if (member.name == "properties" && own->is(Kind::object)) {
      for (const JsonMember& property : member.value.members)
        own->set(property.name, property.value);
    } else if (member.name == "required" && own->is(Kind::array)) {
      own->items.insert(own->items.end(), member.value.items.begin(), member.value.items.end());
    } else {
      into.set(member.name, member.value);
    }
  }
}

std::string unescape_pointer(std::string_view token) {
  std::string out;
  for (std::size_t i = 0; i < token.size(); ++i) {
    const bool escaped = token[i] == '~' && i + 1 < token.size();
    out += !escaped ? token[i] : token[i + 1] == '1' ? '/' : '~';
    if (escaped) ++i;
  }
  return out;
}

class InstanceMaker {
 public:
  explicit InstanceMaker(const JsonTree& root) : root_(root) {}

  /// `name` is the property that is filled, `variant` tells apart the items of a list.
  JsonTree make(const JsonTree& given, std::string_view name, std::size_t variant, int depth) {
    if (++nodes_ > nodes_max || depth > depth_max) return {};
    if (!given.is(Kind::object)) return text(JsonTree::object(), name, variant);
    const JsonTree schema = settle(given, depth);
    if (const JsonTree* fixed = schema.find("const")) return *fixed;
    const JsonTree* choices = schema.find("enum");
    if (choices != nullptr && !choices->items.empty()) {
      return choices->items[variant % choices->items.size()];
    }
    return by_type(schema, name, variant, depth);
  }

 private:
  /// `schema` without $ref, allOf, anyOf and oneOf.
  JsonTree settle(JsonTree schema, int depth) {
    for (int steps = 0; steps < depth_max; ++steps) {
      if (const JsonTree* ref = schema.find("$ref")) {
        const JsonTree* target = resolve(ref->text);
        schema.erase("$ref");
        if (target != nullptr) merge(schema, *target);
      } else if (const JsonTree* all = schema.find("allOf")) {
        const std::vector<JsonTree> parts = all->items;
        schema.erase("allOf");
        for (const JsonTree& part : parts)
          merge(schema, settle(part, depth));
      } else if (!take_branch(schema, "anyOf", depth) && !take_branch(schema, "oneOf", depth)) {
        return schema;
      }
    }
    return schema;
  }

  bool take_branch(JsonTree& schema, std::string_view keyword, int depth) {
    const JsonTree* branches = schema.find(keyword);
    if (branches == nullptr) return false;
    const JsonTree branch = choose(branches->items, depth);
    schema.erase(keyword);
    merge(schema, branch);
    return true;
  }

  /// The first branch that is not null; deep down the plainest one, which ends a recursion.
  JsonTree choose(const std::vector<JsonTree>& branches, int depth) {
    const JsonTree* best = nullptr;
    for (const JsonTree& branch : branches) {
      if (best == nullptr || rank(branch, depth) < rank(*best, depth)) best = &branch;
    }
    return best == nullptr ? JsonTree::object() : *best;
  }

  static int rank(const JsonTree& branch, int depth) {
    const JsonTree* type = branch.find("type");
    const std::string_view name = type == nullptr ? std::string_view() : type->text;
    if (depth < frugal_depth) return name == "null" ? 1 : 0;
    if (name == "null") return 0;
    if (branch.find("const") != nullptr || branch.find("enum") != nullptr) return 1;
    if (branch.find("$ref") != nullptr || name == "object") return 4;
    return name == "array" ? 3 : 2;
  }

  const JsonTree* resolve(std::string_view pointer) const {
    if (!pointer.starts_with('#')) return nullptr;
    pointer.remove_prefix(1);
    const JsonTree* at = &root_;
    while (at != nullptr && pointer.starts_with('/')) {
      pointer.remove_prefix(1);
      const auto end = std::min(pointer.find('/'), pointer.size());
      at = step(*at, unescape_pointer(pointer.substr(0, end)));
      pointer.remove_prefix(end);
    }
    return at;
  }

  static const JsonTree* step(const JsonTree& at, const std::string& token) {
    if (!at.is(Kind::array)) return at.find(token);
    std::size_t index = 0;
    const char* end = token.data() + token.size();
    const bool number = std::from_chars(token.data(), end, index).ec == std::errc();
    return number && index < at.items.size() ? &at.items[index] : nullptr;
  }

  static std::string type_of(const JsonTree& schema) {
    if (const JsonTree* type = schema.find("type")) {
      if (!type->is(Kind::array)) return type->text;
      for (const JsonTree& item : type->items) {
        if (item.text != "null") return item.text;
      }
      return "null";
    }
    struct Sign {
      std::string_view keyword, type;
    };
    static constexpr std::array signs{Sign{"properties", "object"},
                                      Sign{"required", "object"},
                                      Sign{"additionalProperties", "object"},
                                      Sign{"items", "array"},
                                      Sign{"prefixItems", "array"},
                                      Sign{"minItems", "array"},
                                      Sign{"minimum", "number"},
                                      Sign{"maximum", "number"},
                                      Sign{"exclusiveMinimum", "number"},
                                      Sign{"multipleOf", "number"}};
    for (const Sign& sign : signs) {
      if (schema.find(sign.keyword) != nullptr) return std::string(sign.type);
    }
    return "string";
  }

  JsonTree by_type(const JsonTree& schema, std::string_view name, std::size_t variant, int depth) {
    const std::string type = type_of(schema);
    if (type == "object") return object(schema, depth);
    if (type == "array") return array(schema, name, depth);
    if (type == "integer" || type == "number") return number(schema, type == "integer", variant);
    if (type == "boolean") return JsonTree::boolean(variant % 2 == 0);
    return type == "null" ? JsonTree() : text(schema, name, variant);
  }

  JsonTree object(const JsonTree& schema, int depth) {
    JsonTree out = JsonTree::object();
    const JsonTree* properties = schema.find("properties");
    const JsonTree* required = schema.find("required");
    const auto is_required = [&](std::string_view name) {
      return required != nullptr && std::ranges::any_of(required->items, [&](const JsonTree& item) {
               return item.text == name;
             });
    };
    if (properties != nullptr) {
      for (const auto& [name, value] : properties->members) {
        const bool skip = is_false(&value) || (depth >= frugal_depth && !is_required(name));
        if (!skip) out.set(name, make(value, name, 0, depth + 1));
      }
    }
    if (required != nullptr) {
      for (const JsonTree& name : required->items)
        add_free(out, schema, name.text, depth);
    }
    const std::size_t least = std::min(size_in(schema, "minProperties", 0), items_max);
    for (std::size_t i = 1; out.members.size() < least; ++i)
      add_free(out, schema, "extra" + std::to_string(i), depth);
    return out;
  }

  /// A member that `properties` does not describe.
  void add_free(JsonTree& out, const JsonTree& schema, const std::string& name, int depth) {
    if (out.find(name) != nullptr) return;
    const JsonTree* rest = schema.find("additionalProperties");
    const bool described = rest != nullptr && rest->is(Kind::object);
    out.set(name, make(described ? *rest : JsonTree::object(), name, 0, depth + 1));
  }

  JsonTree array(const JsonTree& schema, std::string_view name, int depth) {
    JsonTree out = JsonTree::array();
    const JsonTree* items = schema.find("items");
    const JsonTree* tuple = schema.find("prefixItems");
    if (tuple == nullptr && items != nullptr && items->is(Kind::array)) {
      tuple = items;
      items = schema.find("additionalItems");
    }
    if (items == nullptr) items = schema.find("contains");
    const std::size_t most = std::min(size_in(schema, "maxItems", items_max), items_max);
    const std::size_t fixed = tuple == nullptr ? 0 : tuple->items.size();
    const std::size_t usual =
        depth >= frugal_depth || is_false(items) ? fixed : std::max<std::size_t>(fixed, 1);
    const std::size_t count = std::min(most, std::max(usual, size_in(schema, "minItems", 0)));
    for (std::size_t i = 0; i < count; ++i) {
      const JsonTree* item = i < fixed ? &tuple->items[i] : items;
      out.items.push_back(make(item == nullptr ? JsonTree::object() : *item, name, i, depth + 1));
    }
    return out;
  }

  static JsonTree number(const JsonTree& schema, bool integer, std::size_t variant) {
    double low = number_in(schema, "minimum").value_or(-1e15);
    double high = number_in(schema, "maximum").value_or(1e15);
    const double step = std::max(number_in(schema, "multipleOf").value_or(0), 0.0);
    // Draft 4 has booleans here, later drafts numbers.
    const auto above = number_in(schema, "exclusiveMinimum");
    const auto below = number_in(schema, "exclusiveMaximum");
    const bool open_low = above.has_value() || is_true(schema.find("exclusiveMinimum"));
    const bool open_high = below.has_value() || is_true(schema.find("exclusiveMaximum"));
    if (above) low = std::max(low, *above);
    if (below) high = std::min(high, *below);
    const double grid = step > 0 ? step : integer ? 1 : 0;
    double value =
        std::clamp(1.0 + static_cast<double>(variant) * (grid > 0 ? grid : 1), low, high);
    if (grid > 0) {
      value = std::ceil(value / grid) * grid;
      if (open_low && value <= low) value += grid;
      if (value > high || (open_high && value >= high)) value = std::floor(high / grid) * grid;
      if (open_high && value >= high) value -= grid;
    } else if ((open_low && value <= low) || (open_high && value >= high)) {
      const double from = low <= -1e15 ? high - 2 : low, to = high >= 1e15 ? low + 2 : high;
      value = from + (to - from) / 2;
    }
    return number_tree(value);
  }

  static JsonTree text(const JsonTree& schema, std::string_view name, std::size_t variant) {
    std::string value;
    if (const JsonTree* pattern = schema.find("pattern")) value = match_pattern(pattern->text);
    if (const JsonTree* format = schema.find("format"); format != nullptr && value.empty()) {
      for (const FormatExample& row : format_examples) {
        if (row.format == format->text) return JsonTree::string(row.example);
      }
    }
    if (!value.empty()) return JsonTree::string(value);
    value = name.empty() ? "demo" : "demo " + std::string(name);
    if (variant != 0) value += " " + std::to_string(variant + 1);
    const std::size_t least = std::min(size_in(schema, "minLength", 0), items_max * 10);
    while (value.size() < least)
      value += '.';
    const std::size_t most = size_in(schema, "maxLength", value.size());
    // The name may hold characters of several bytes; a cut must not go through one.
    std::size_t end = std::min(most, value.size());
    while (end < value.size() && end > 0 &&
           (static_cast<unsigned char>(value[end]) & 0xC0U) == 0x80U)
      --end;
    value.resize(end);
    return JsonTree::string(value);
  }

  const JsonTree& root_;
  std::size_t nodes_ = 0;
};

}  // namespace

std::string make_instance(std::string_view schema_json) {
  const auto schema = read_json(schema_json);
  std::string out;
  if (!schema || !schema->is(Kind::object) || schema->members.empty()) return "{}";
  write_json(InstanceMaker(*schema).make(*schema, {}, 0, 0), out);
  return out;
}

}  // namespace tollgate::routing::demo
