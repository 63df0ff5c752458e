// JsonTree: a small JSON document for what must be rebuilt rather than relayed: schemas that a
// provider takes only a part of, arguments that come as paths. Key order and number text are kept
// as they came. Used by encodes and decoders of providers; a plain value, any thread.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::routing {

struct JsonMember;

struct JsonTree {
  enum class Kind : std::uint8_t { null, boolean, number, string, array, object };
  Kind kind = Kind::null;
  std::string text;  ///< string: unescaped; boolean and number: the JSON text
  std::vector<JsonTree> items;
  std::vector<JsonMember> members;

  [[nodiscard]] static JsonTree string(std::string_view value);
  [[nodiscard]] static JsonTree boolean(bool value);
  [[nodiscard]] static JsonTree array();
  [[nodiscard]] static JsonTree object();

  [[nodiscard]] bool is(Kind k) const { return kind == k; }
  /// The member of that name, or nullptr.
  [[nodiscard]] const JsonTree* find(std::string_view name) const;
  [[nodiscard]] JsonTree* find(std::string_view name);
  /// Replaces the member of that name, or adds it at the end.
  JsonTree& set(std::string_view name, JsonTree value);
  void erase(std::string_view name);
};

struct JsonMember {
  std::string name;
  JsonTree value;
};

/// Reads one JSON value. Nothing when it is no JSON or nested deeper than `depth_max`.
[[nodiscard]] std::optional<JsonTree> read_json(std::string_view json, int depth_max = 64);
/// Appends the value as compact JSON.
void write_json(const JsonTree& value, std::string& out);
/// True for one JSON value and nothing else.
[[nodiscard]] bool is_json(std::string_view json, int depth_max = 64);
/// `json` without the white space between its tokens.
[[nodiscard]] std::string compact_json(std::string_view json);

}  // namespace tollgate::routing
