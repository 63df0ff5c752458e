#include "gateway/wire/json_shape.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <simdjson.h>

#include "gateway/wire/json_scan.hpp"

namespace tollgate::wire {
namespace {

/// No API has a hundred; each lookup walks over all of them.
constexpr std::size_t fields_max = 1024;
/// The scanner recurses, so whatever limit is asked for stays within the stack.
constexpr int depth_ceiling = 512;

std::unexpected<Error> bad_body(std::string_view problem, std::string param = {}) {
  return fail(ErrorKind::invalid_request, "The request body " + std::string(problem) + ".",
              std::move(param));
}

std::unexpected<Error> bad_syntax(const JsonScanner& scan) {
  if (scan.stands_at('\0')) return bad_body("contains a NUL byte");
  return bad_body("is not valid JSON: " + std::string(scan.problem()) + " at byte " +
                  std::to_string(scan.at()));
}

/// Faults that deserve a clearer word than "a value was expected".
Result<void> check_bytes(std::string_view body) {
  if (body.empty()) return bad_body("is empty; a JSON object was expected");
  if (body.starts_with("\xEF\xBB\xBF")) {
    return bad_body("begins with a byte order mark; send UTF-8 without one");
  }
  return {};
}

bool is_utf8(std::string_view body) { return simdjson::validate_utf8(body.data(), body.size()); }

/// True for a name that an error may show: it looks like a parameter, not like content.
bool presentable(std::string_view name) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  };
  return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, plain);
}

std::unexpected<Error> duplicate(std::string_view name) {
  if (!presentable(name)) return bad_body("has a member twice at its top level");
  return bad_body("has the member '" + std::string(name) + "' twice", std::string(name));
}

/// The name that two fields share, if any. Few fields are compared in place, many are sorted.
const JsonField* find_duplicate(const std::vector<JsonField>& fields) {
  constexpr std::size_t few = 32;
  if (fields.size() <= few) {
    for (std::size_t i = 1; i < fields.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (fields[i].name == fields[j].name) return &fields[i];
      }
    }
    return nullptr;
  }
  std::vector<const JsonField*> sorted;
  sorted.reserve(fields.size());
  for (const JsonField& field : fields)
    sorted.push_back(&field);
  std::ranges::sort(sorted, {}, &JsonField::name);
  const auto twin = std::ranges::adjacent_find(sorted, {}, &JsonField::name);
  return twin == sorted.end() ? nullptr : *twin;
}

/// The value as a number's text when it is one and nothing else.
std::optional<std::string_view> number_text(std::string_view value) {
  JsonScanner scan(value, 0);
  if (!scan.number() || !scan.at_end()) return std::nullopt;
  return value;
}

template <class Number>
std::optional<Number> parse(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

Result<JsonShape> JsonShape::read(std::string_view body, int depth_max, std::string_view watched) {
  if (auto checked = check_bytes(body); !checked) return std::unexpected(checked.error());
  JsonScanner scan(body, std::min(depth_max, depth_ceiling), watched);
  auto shape = read_object(scan, watched);
  // ASCII is UTF-8: most bodies are looked over once. What is no UTF-8 is told before anything
  // else.
  const bool known_utf8 = shape && !scan.saw_beyond_ascii();
  if (!known_utf8 && !is_utf8(body)) return bad_body("is not valid UTF-8");
  return shape;
}

Result<JsonShape> JsonShape::read_object(JsonScanner& scan, std::string_view watched) {
  Result<JsonShape> made;  // built where it is returned
  JsonShape& shape = *made;
  scan.space();
  if (!scan.take('{')) return bad_body("is not a JSON object");
  shape.insert_at_ = scan.at();
  if (!scan.enter()) return bad_syntax(scan);
  if (auto members = shape.read_members(scan); !members) {
    return std::unexpected(members.error());
  }
  scan.space();
  if (!scan.at_end()) {
    scan.fail("more text follows the object");
    return bad_syntax(scan);
  }
  shape.saw_watched_ = scan.saw_watched() || (!watched.empty() && shape.find(watched) != nullptr);
  if (const JsonField* twin = find_duplicate(shape.fields_)) return duplicate(twin->name);
  return made;
}

Result<void> JsonShape::read_members(JsonScanner& scan) {
  scan.space();
  if (scan.take('}')) return {};
  fields_.reserve(16);
  do {
    if (fields_.size() == fields_max) {
      return bad_body("has more than " + std::to_string(fields_max) + " members");
    }
    if (!read_member(scan)) return bad_syntax(scan);
  } while (scan.take(','));
  if (scan.take('}')) return {};
  scan.fail("a comma or a closing brace was expected");
  return bad_syntax(scan);
}

bool JsonShape::read_member(JsonScanner& scan) {
  scan.space();
  JsonField field;
  field.name_at = scan.at();
  if (!scan.string()) return false;
  const std::string_view quoted = scan.since(field.name_at);
  field.name = quoted.substr(1, quoted.size() - 2);
  if (field.name.find('\\') != std::string_view::npos) {
    names_.push_back(std::make_unique<std::string>(json_unescape(field.name)));
    field.name = *names_.back();
  }
  scan.space();
  if (!scan.take(':')) return scan.fail("a colon was expected behind a name");
  scan.space();
  const std::size_t begin = scan.at();
  const bool messages = field.name == "messages" && scan.stands_at('[');
  if (messages ? !read_messages(scan) : !scan.value()) return false;
  field.value = scan.since(begin);
  fields_.push_back(field);
  scan.space();
  return true;
}

bool JsonShape::read_messages(JsonScanner& scan) {
  std::size_t count = 0;
  bool plain = true;
  const bool whole = scan_array(scan, [&] {
    ++count;
    plain = plain && scan.stands_at('{');
    if (!scan.stands_at('{')) return scan.value();
    return scan_object(scan, [&](std::string_view name) {
      scan.saw(name);
      const bool known = name == "role" || name == "content" || name == "name";
      plain = plain && known && scan.stands_at('"');
      return scan.value();
    });
  });
  if (plain) plain_messages_ = count;
  return whole;
}

const JsonField* JsonShape::find(std::string_view name) const {
  for (const JsonField& field : fields_) {
    if (field.name == name) return field.is_null() ? nullptr : &field;
  }
  return nullptr;
}

std::optional<std::string> json_string(std::string_view value) {
  JsonScanner scan(value, 0);
  if (!scan.string() || !scan.at_end()) return std::nullopt;
  return json_unescape(value.substr(1, value.size() - 2));
}

std::optional<std::int64_t> json_int(std::string_view value) {
  const auto text = number_text(value);
  if (!text) return std::nullopt;
  if (text->find_first_of("eE") == std::string_view::npos) {
    const std::size_t dot = std::min(text->find('.'), text->size());
    const std::string_view fraction = text->substr(dot);
    if (fraction.find_first_not_of(".0") != std::string_view::npos) return std::nullopt;
    return parse<std::int64_t>(text->substr(0, dot));
  }
  constexpr double exact = 9007199254740992.0;  // 2^53: up to here a double is a whole number
  const auto number = parse<double>(*text);
  if (!number || std::abs(*number) > exact || *number != std::trunc(*number)) return std::nullopt;
  return static_cast<std::int64_t>(*number);
}

std::optional<double> json_double(std::string_view value) {
  const auto text = number_text(value);
  return text ? parse<double>(*text) : std::nullopt;
}

std::optional<bool> json_bool(std::string_view value) {
  if (value == "true") return true;
  if (value == "false") return false;
  return std::nullopt;
}

}  // namespace tollgate::wire
