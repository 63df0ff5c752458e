#include "routing/providers/body_edit.hpp"

#include <algorithm>

#include "gateway/wire/json_writer.hpp"

namespace tollgate::routing {
namespace {

/// Cuts a body where it changes.
class Cutter {
 public:
  explicit Cutter(std::string_view body) : body_(body) {}
  void change(std::size_t begin, std::size_t end, std::string text) {
    out_.view(body_.substr(at_, begin - at_));
    out_.own(std::move(text));
    at_ = end;
  }
  Pieces done() {
    out_.view(body_.substr(at_));
    return std::move(out_);
  }

 private:
  std::string_view body_;
  std::size_t at_ = 0;
  Pieces out_;
};

}  // namespace

const wire::JsonField* BodyEdit::find(std::string_view name) const {
  for (const wire::JsonField& field : shape_.fields()) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

BodyEdit::Edit& BodyEdit::edit(const wire::JsonField& field) {
  if (edits_.empty()) edits_.reserve(4);
  auto place = std::ranges::lower_bound(edits_, &field, {}, &Edit::field);
  if (place == edits_.end() || place->field != &field) {
    place = edits_.insert(place, Edit{&field, false, {}});
  }
  return *place;
}

void BodyEdit::set(std::string_view name, std::string json) {
  if (const wire::JsonField* field = find(name)) {
    edit(*field).value = std::move(json);
    return;
  }
  for (auto& [known, value] : added_) {
    if (known != name) continue;
    value = std::move(json);
    return;
  }
  added_.emplace_back(name, std::move(json));
}

void BodyEdit::remove(std::string_view name) {
  for (const wire::JsonField& field : shape_.fields()) {
    if (field.name == name) edit(field).removed = true;
  }
}

bool BodyEdit::removed(const wire::JsonField& field) const {
  const auto found = std::ranges::lower_bound(edits_, &field, {}, &Edit::field);
  return found != edits_.end() && found->field == &field && found->removed;
}

std::size_t BodyEdit::end_of(const wire::JsonField& field) const {
  return field.value_at(body_) + field.value.size();
}

/// How many members there are up to the last one that stays.
std::size_t BodyEdit::members_kept() const {
  std::size_t kept = shape_.fields().size();
  while (kept > 0 && removed(shape_.fields()[kept - 1]))
    --kept;
  return kept;
}

std::string BodyEdit::inserted(bool something_behind) const {
  std::string text;
  for (const auto& [name, json] : added_) {
    if (!text.empty()) text += ',';
    wire::append_quoted(text, name);
    text += ':';
    text += json;
  }
  if (!text.empty() && something_behind) text += ',';
  return text;
}

/// A removed member goes with the comma behind it; a run of removed ones at the end goes with the
/// comma before it.
Pieces BodyEdit::pieces() const {
  const std::vector<wire::JsonField>& fields = shape_.fields();
  const std::size_t kept = members_kept();
  Cutter cut(body_);
  cut.change(shape_.insert_at(), shape_.insert_at(), inserted(kept != 0));
  for (const Edit& edit : edits_) {
    const auto at = static_cast<std::size_t>(edit.field - fields.data());
    if (at >= kept) break;
    if (edit.removed) {
      cut.change(edit.field->name_at, fields[at + 1].name_at, {});
    } else {
      cut.change(edit.field->value_at(body_), end_of(*edit.field), edit.value);
    }
  }
  if (kept < fields.size()) {
    const std::size_t begin = kept == 0 ? fields.front().name_at : end_of(fields[kept - 1]);
    cut.change(begin, end_of(fields.back()), {});
  }
  return cut.done();
}

}  // namespace tollgate::routing
