#include "policies/cache/canonical.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <vector>

#include "gateway/wire/json_scan.hpp"
#include "gateway/wire/json_shape.hpp"

namespace tollgate::cache {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Text between quotes. An escaped lone surrogate reads as U+FFFD, but the provider sees what was
/// sent: such text counts as it is spelled.
void append_text(std::string& out, std::string_view inner) {
  if (inner.find('\\') == std::string_view::npos) {
    out += 's';
    return append_part(out, inner);
  }
  const std::string text = wire::json_unescape(inner);
  const bool replaced = text.find("\xEF\xBF\xBD") != std::string::npos;
  out += replaced ? 'q' : 's';
  append_part(out, replaced ? inner : std::string_view(text));
}

/// A number as sign, digits without zeros at either end, and a power of ten: exact however large
/// it is. As in RFC 8785, -0 is 0.
void append_number(std::string& out, std::string_view text) {
  const std::string_view spelled = text;
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  std::string digits;
  std::int64_t power = 0;
  bool behind_point = false;
  for (; !text.empty() && (is_digit(text.front()) || text.front() == '.'); text.remove_prefix(1)) {
    if (text.front() == '.') {
      behind_point = true;
      continue;
    }
    if (behind_point) --power;
    if (!digits.empty() || text.front() != '0') digits += text.front();
  }
  if (digits.empty()) return out.append("n"), append_part(out, "0");
  if (!text.empty()) {
    text.remove_prefix(text.starts_with("e+") || text.starts_with("E+") ? 2 : 1);
    std::int32_t exponent = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), exponent);
    if (read.ec != std::errc{}) return out.append("N"), append_part(out, spelled);
    power += exponent;
  }
  const std::size_t zeros = digits.size() - digits.find_last_not_of('0') - 1;
  digits.resize(digits.size() - zeros);
  power += static_cast<std::int64_t>(zeros);
  out += 'n';
  append_part(out, (negative ? "-" : "") + digits + "e" + std::to_string(power));
}

/// Reads a value once and writes it as it goes; members are put in order behind their object.
class Canon {
 public:
  Canon(std::string& out, std::string_view text) : out_(out), scan_(text, wire::json_depth_max) {}

  bool value() {
    scan_.space();
    if (scan_.stands_at('{')) return object();
    if (scan_.stands_at('[')) return array();
    const std::size_t begin = scan_.at();
    if (!scan_.value()) return false;
    scalar(scan_.since(begin));
    return true;
  }

 private:
  struct Member {
    std::string name;  // canonical
    std::size_t begin = 0, end = 0;
  };

  void scalar(std::string_view text) {
    if (text.starts_with('"')) {
      append_text(out_, text.substr(1, text.size() - 2));
    } else if (is_digit(text.front()) || text.front() == '-') {
      append_number(out_, text);
    } else {
      out_ += text.front();  // t, f, or the n of null, behind which no length stands
      out_ += '.';
    }
  }

  bool array() {
    out_ += '[';
    const bool read = wire::scan_array(scan_, [&] { return value(); });
    out_ += ']';
    return read;
  }

  bool object() {
    const std::size_t begin = out_.size();
    std::vector<Member> members;
    const bool read =
        wire::scan_items(scan_, '{', '}', "a brace was expected", [&] { return member(members); });
    if (!read) return false;
    put_in_order(members, begin);
    return true;
  }

  bool member(std::vector<Member>& members) {
    const std::size_t quote = scan_.at();
    if (!scan_.string()) return false;
    std::string_view inner = scan_.since(quote + 1);
    inner.remove_suffix(1);
    Member& member = members.emplace_back();
    append_text(member.name, inner);
    scan_.space();
    if (!scan_.take(':')) return false;
    const std::size_t begin = out_.size(), at = members.size() - 1;
    if (!value()) return false;
    members[at].begin = begin;
    members[at].end = out_.size();
    return true;
  }

  /// What stands behind `begin` are the members' values in the order in which they came.
  void put_in_order(std::vector<Member>& members, std::size_t begin) {
    const std::string values = out_.substr(begin);
    out_.resize(begin);
    std::ranges::sort(members, [](const Member& a, const Member& b) {
      return a.name != b.name ? a.name < b.name : a.begin < b.begin;
    });
    out_ += '{';
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (i + 1 < members.size() && members[i].name == members[i + 1].name) continue;
      out_ += members[i].name;
      out_.append(values, members[i].begin - begin, members[i].end - members[i].begin);
    }
    out_ += '}';
  }

  std::string& out_;
  wire::JsonScanner scan_;
};

}  // namespace

void append_part(std::string& out, std::string_view part) {
  out.append(std::to_string(part.size())).append(":").append(part);
}

void append_canonical(std::string& out, std::string_view value) {
  const std::size_t begin = out.size();
  if (Canon(out, value).value()) return;
  // Not checked before, or no JSON: it is what it is.
  out.resize(begin);
  out += '?';
  append_part(out, value);
}

}  // namespace tollgate::cache
