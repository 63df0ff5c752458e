#include "gateway/wire/json_view.hpp"

#include "gateway/wire/json_scan.hpp"
#include "gateway/wire/json_shape.hpp"
#include "gateway/wire/json_walk.hpp"

namespace tollgate::wire {
namespace {

/// Of digits and nothing else, as nearly every count is written.
std::optional<std::int64_t> plain_digits(std::string_view text) {
  constexpr std::size_t digits_max = 18;
  if (text.empty() || text.size() > digits_max || (text[0] == '0' && text.size() > 1)) return {};
  std::int64_t number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return {};
    number = 10 * number + (c - '0');
  }
  return number;
}

}  // namespace

JsonView JsonView::operator[](std::string_view name) const {
  return is_object() ? JsonView(json_member(text_, name).value_or("")) : JsonView();
}

std::vector<JsonView> JsonView::items() const {
  std::vector<JsonView> found;
  if (!is_array()) return found;
  for (JsonElements walk(text_); walk.next();)
    found.emplace_back(walk.value());
  return found;
}

std::string JsonView::string() const { return json_string(text_).value_or(std::string()); }

std::string_view JsonView::string_in(Batch& batch) const {
  if (!is_string() || text_.size() < 2) return {};
  const std::string_view inner = text_.substr(1, text_.size() - 2);
  if (inner.find('\\') == std::string_view::npos) return inner;
  return batch.store(json_unescape(inner));
}

std::optional<std::int64_t> JsonView::integer() const {
  const auto number = plain_digits(text_);
  return number ? number : json_int(text_);
}

std::optional<std::uint64_t> JsonView::count() const {
  const auto number = integer();
  if (!number || *number < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*number);
}

JsonObject::JsonObject(const JsonView& object) {
  if (!object.is_object()) return;
  for (JsonMembers walk(object.text()); walk.next();) {
    const bool escaped = walk.name().data() < object.text().data() ||
                         walk.name().data() >= object.text().data() + object.text().size();
    add(escaped ? unescaped_.emplace_front(walk.name()) : walk.name(), walk.value());
  }
}

JsonObject::JsonObject(const JsonShape& shape) {
  for (const JsonField& field : shape.fields())
    add(field.name, field.value);
}

void JsonObject::add(std::string_view name, std::string_view value) {
  if (count_ < few) {
    first_[count_] = {name, value};
  } else {
    rest_.push_back({name, value});
  }
  ++count_;
}

JsonView JsonObject::operator[](std::string_view name) const {
  for (std::size_t i = count_; i-- > 0;) {
    const Member& member = i < few ? first_[i] : rest_[i - few];
    if (member.name == name) return JsonView(member.value == "null" ? "" : member.value);
  }
  return {};
}

}  // namespace tollgate::wire
