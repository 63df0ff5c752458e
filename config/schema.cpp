#include <initializer_list>

#include "config/fields.hpp"
#include "config/load.hpp"
#include "config/text_check.hpp"
#include "config/values.hpp"

namespace tollgate::config {
namespace {

// What stands for any scalar: it is checked after its expansion.
constexpr std::string_view expanded = R"({"$ref":"#/$defs/expanded"})";

std::string or_expanded(std::initializer_list<std::string> schemas) {
  std::string list;
  for (const std::string& schema : schemas)
    list += "{" + schema + "},";
  return "\"anyOf\":[" + list + std::string(expanded) + "]";
}
std::string pattern(std::string_view text) {
  return "\"type\":\"string\",\"pattern\":" + json_quoted(text);
}
template <class Names>
std::string one_of(const Names& names) {
  std::string list;
  for (const std::string_view name : names)
    (list += list.empty() ? "" : ",") += json_quoted(name);
  return "\"enum\":[" + list + "]";
}

template <class T>
std::string object_schema(T& defaults);

// The type of each field. A class, so that the overloads find each other in any order.
struct Types {
  // Each overload gives the members of one schema, without braces; `value` is the default.
  static std::string type_of(const bool&, const Rule&) {
    return or_expanded({"\"type\":\"boolean\""});
  }
  static std::string whole(const Rule& rule) {
    std::string out = "\"type\":\"integer\",\"minimum\":" + std::to_string(rule.min);
    if (rule.max != Rule{}.max) out += ",\"maximum\":" + std::to_string(rule.max);
    return out;
  }
  static std::string type_of(const std::uint32_t&, const Rule& rule) {
    return or_expanded({whole(rule)});
  }
  static std::string type_of(const std::uint64_t&, const Rule& rule) {
    return or_expanded({whole(rule)});
  }
  static std::string type_of(const Usd&, const Rule& rule) {
    return or_expanded({rule.min > 0 ? R"("type":"number","exclusiveMinimum":0)"
                                     : R"("type":"number","minimum":0)"});
  }
  static std::string type_of(const Share&, const Rule&) {
    return or_expanded({R"("type":"number","exclusiveMinimum":0,"maximum":1)"});
  }
  static std::string type_of(const Downgrade&, const Rule&) {
    return R"("anyOf":[{"const":"deny"},{"type":"object","additionalProperties":false,)"
           R"("properties":{"downgrade":{"description":"The model to ask instead.",)"
           R"("type":"string","minLength":1}},)"
           R"("required":["downgrade"]}])";
  }
  static std::string type_of(const HedgeAfter&, const Rule&) {
    return or_expanded({pattern("^(p[5-9][0-9]|[1-9][0-9]*(ms|s|m|h|d))$")});
  }
  static std::string type_of(const int&, const Rule& rule) { return or_expanded({whole(rule)}); }
  static std::string type_of(const Duration&, const Rule&) {
    return or_expanded({pattern("^(0|[1-9][0-9]*)(ms|s|m|h|d)$"), "\"const\":0"});
  }
  static std::string type_of(const Bytes&, const Rule& rule) {
    return or_expanded({pattern("^(0|[1-9][0-9]*)([KMGT]iB)?$"), whole(rule)});
  }
  static std::string type_of(const HostPort&, const Rule&) {
    return or_expanded({pattern("^(\\[[0-9A-Fa-f:.]+\\]|[0-9A-Za-z._-]*):[0-9]{1,5}$")});
  }
  static std::string type_of(const std::chrono::sys_seconds&, const Rule&) {
    return or_expanded({pattern("^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ].+)?$")});
  }
  static std::string type_of(const std::string&, const Rule& rule) {
    if (!rule.words.empty() && !rule.path) return or_expanded({one_of(rule.words)});
    std::string out = "\"type\":\"string\"";
    if (rule.required) out += ",\"minLength\":1";
    return out;
  }
  static std::string type_of(const Secret&, const Rule&) { return "\"type\":\"string\""; }
  template <class E>
    requires std::is_enum_v<E>
  static std::string type_of(const E&, const Rule&) {
    return or_expanded({one_of(Spelling<E>::names)});
  }
  static std::string type_of(const OffOr& value, const Rule& rule) {
    return "\"anyOf\":[{\"const\":\"off\"},{" + type_of(value.interval, rule) + "}]";
  }
  static std::string type_of(const Lookup&, const Rule&) {
    return or_expanded({one_of(std::array<std::string_view, 2>{"id", "hash"})});
  }
  static std::string type_of(const JsonMembers&, const Rule&) { return "\"type\":\"object\""; }
  static std::string type_of(const TextMembers&, const Rule&) {
    return R"("type":"object","additionalProperties":{"type":["string","number","boolean"]})";
  }
  template <class T>
    requires requires { section_of(static_cast<const T*>(nullptr)); }
  static std::string type_of(T& section, const Rule&) {
    return object_schema(section);
  }
  template <class T>
  static std::string type_of(const OrOff<T>& value, const Rule&) {
    return or_expanded({"\"const\":\"off\"", object_schema(value.section)});
  }
  template <class T>
  static std::string type_of(const std::optional<T>&, const Rule& rule) {
    T value{};
    return type_of(value, rule);
  }
  template <class T>
  static std::string named(const Rule&) {
    T value{};
    // A name with nothing behind it is an entry with nothing set.
    return R"("type":["object","null"],"additionalProperties":{)" + type_of(value, Rule{}) + "}";
  }
  template <class T>
  static std::string type_of(const std::vector<std::pair<std::string, T>>&, const Rule& rule) {
    return named<T>(rule);
  }
  template <class T>
  static std::string type_of(const std::map<std::string, T>&, const Rule& rule) {
    return named<T>(rule);
  }
  template <class T>
  static std::string type_of(const std::vector<T>&, const Rule& rule) {
    T value{};
    std::string out =
        "\"type\":\"array\",\"items\":{" + type_of(value, Rule{.required = true}) + "}";
    if (rule.required) out += ",\"minItems\":1";
    return out;
  }
};

// The default as JSON; empty: none to show.
std::string default_of(const bool& value) { return value ? "true" : "false"; }
std::string default_of(const std::uint32_t& value) { return std::to_string(value); }
std::string default_of(const int& value) { return std::to_string(value); }
std::string default_of(const Duration& value) { return json_quoted(to_text(value)); }
std::string default_of(const Bytes& value) { return json_quoted(to_text(value)); }
std::string default_of(const HostPort& value) { return json_quoted(value.text()); }
std::string default_of(const std::string& value) {
  return value.empty() ? std::string() : json_quoted(value);
}
template <class E>
  requires std::is_enum_v<E>
std::string default_of(const E& value) {
  return json_quoted(Spelling<E>::names[static_cast<std::size_t>(value)]);
}
template <class T>
  requires(!std::is_enum_v<T>)
std::string default_of(const T&) {
  return {};
}

class SchemaFields {
 public:
  template <class M>
  void operator()(std::string_view name, M&& member, std::string_view meaning,
                  const Rule& rule = {}) {
    (properties_ += properties_.empty() ? "" : ",") += json_quoted(name);
    (properties_ += ":{\"description\":") += json_quoted(meaning);
    (properties_ += ',') += Types::type_of(member, rule);
    std::string value = rule.absent.empty() ? default_of(member) : json_quoted(rule.absent);
    if (!rule.required && !value.empty()) (properties_ += ",\"default\":") += value;
    properties_ += '}';
    if (rule.required) (required_ += required_.empty() ? "" : ",") += json_quoted(name);
  }
  [[nodiscard]] std::string members() const {
    std::string out = "\"additionalProperties\":false,\"properties\":{" + properties_ + "}";
    if (!required_.empty()) out += ",\"required\":[" + required_ + "]";
    return out;
  }

 private:
  std::string properties_, required_;
};

template <class T>
std::string object_schema(T& defaults) {
  SchemaFields fields;
  visit_fields(defaults, fields);
  const std::string members = fields.members();
  const bool may_be_empty = members.find(",\"required\":[") == std::string::npos;
  return (may_be_empty ? R"("type":["object","null"],)" : R"("type":"object",)") + members;
}

// Line breaks and indentation, for people who read it.
std::string indented(std::string_view json) {
  std::string out;
  std::size_t depth = 0;
  bool in_text = false, escaped = false;
  const auto new_line = [&] { out += '\n' + std::string(depth * 2, ' '); };
  for (const char c : json) {
    if (in_text) {
      out += c;
      in_text = escaped || c != '"';
      escaped = !escaped && c == '\\';
      continue;
    }
    in_text = c == '"';
    if (c == '}' || c == ']') {
      --depth;
      new_line();
    }
    out += c;
    if (c == ':') out += ' ';
    if (c == '{' || c == '[') ++depth;
    if (c == '{' || c == '[' || c == ',') new_line();
  }
  return out + '\n';
}

}  // namespace

std::string schema_json() {
  Config defaults;
  return indented(R"({"$schema":"https://json-schema.org/draft/2020-12/schema",)"
                  R"("$id":"urn:tollgate:configuration:1","title":"Tollgate configuration",)"
                  R"("description":"Scalars may hold ${VAR}, ${VAR:-default} and ${file:path}.",)" +
                  object_schema(defaults) +
                  R"(,"$defs":{"expanded":{"description":"Expanded when the file is read.",)"
                  R"("type":"string","pattern":"\\$\\{.+\\}"}}})");
}

}  // namespace tollgate::config
