// JSON: the hand-written scanner and simdjson agree on what is JSON. Where they differ is known:
// simdjson has no integers above 64 bits, no numbers beyond a double's range and no lone
// surrogates; the scanner has a limit of depth and of members and refuses a name that comes twice.
#include "gateway/wire/json_shape.hpp"

#include <simdjson.h>
#include <string>

#include "gateway/wire/json_writer.hpp"
#include "tests/fuzz/input.hpp"

using namespace tollgate;
using fuzz::require;

namespace {

constexpr int depth_max = 64;

bool is_range_error(simdjson::error_code error, std::string_view text) {
  if (error == simdjson::NUMBER_ERROR) return true;
  return error == simdjson::STRING_ERROR && text.find("\\u") != std::string_view::npos;
}

bool is_own_limit(const Error& error) {
  for (const std::string_view words :
       {"nested too deeply", "twice", "more than", "not a JSON object", "byte order mark"}) {
    if (error.message.find(words) != std::string::npos) return true;
  }
  return false;
}

void compare(std::string_view text, const Result<wire::JsonShape>& ours) {
  static simdjson::dom::parser parser;
  const simdjson::padded_string padded(text);
  const simdjson::error_code theirs = parser.parse(padded).error();
  if (ours) {
    require(theirs == simdjson::SUCCESS || is_range_error(theirs, text), "ours but not simdjson's");
  } else {
    require(theirs != simdjson::SUCCESS || is_own_limit(ours.error()), "simdjson's but not ours");
  }
}

void check_fields(std::string_view text, const wire::JsonShape& shape) {
  for (const wire::JsonField& field : shape.fields()) {
    require(fuzz::inside(field.value, text) && !field.value.empty(), "values are of the body");
    require(text[field.name_at] == '"', "a name begins where it says");
    const auto value = wire::json_string(field.value);
    require(value.has_value() == (field.value[0] == '"'), "strings and only strings");
    if (!value) continue;
    std::string written;
    wire::append_quoted(written, *value);
    require(wire::json_string(written) == *value, "a string survives being written");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(fuzz::text_of(data, size));  // its own allocation
  const auto shape = wire::JsonShape::read(text, depth_max);
  compare(text, shape);
  if (shape) {
    check_fields(text, *shape);
  } else {
    require(shape.error().status == 400 && !shape.error().message.empty(), "a clear 400");
  }
  // Whatever the bytes are, what the writer makes of them is JSON.
  std::string written = "{\"k\":";
  wire::append_quoted(written, text);
  written += '}';
  require(wire::JsonShape::read(written).has_value(), "the writer writes JSON");
  (void)wire::json_int(text);
  (void)wire::json_double(text);
  return 0;
}
