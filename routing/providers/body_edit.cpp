#include "routing/providers/body_edit.hpp"

#include <algorithm>

#include "gateway/wire/json_writer.hpp"

namespace tollgate::routing {

BodyEdit::BodyEdit(std::string_view body, const wire::JsonShape& shape)
    : body_(body), shape_(shape) {
  for (const wire::JsonField& field : shape.fields())
    members_.push_back({&field, false, false, {}});
}

const wire::JsonField* BodyEdit::find(std::string_view name) const {
  for (const wire::JsonField& field : shape_.fields()) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

void BodyEdit::set(std::string_view name, std::string json) {
  for (Member& member : members_) {
    if (member.field->name != name) continue;
    member.replaced = true;
    member.value = std::move(json);
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
  for (Member& member : members_)
    member.removed = member.removed || member.field->name == name;
}

std::size_t BodyEdit::end_of(const Member& member) const {
  return member.field->value_at(body_) + member.field->value.size();
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

/// The edits in the body's order. A removed member goes with the comma behind it; a run of removed
/// ones at the end goes with the comma before it.
std::vector<BodyEdit::Change> BodyEdit::changes() const {
  const auto last_kept =
      std::find_if(members_.rbegin(), members_.rend(), [](const Member& m) { return !m.removed; });
  const auto kept = static_cast<std::size_t>(std::distance(last_kept, members_.rend()));
  std::vector<Change> list;
  list.push_back({shape_.insert_at(), shape_.insert_at(), inserted(kept != 0)});
  for (std::size_t i = 0; i < kept; ++i) {
    const Member& member = members_[i];
    const std::size_t value_at = member.field->value_at(body_);
    if (member.removed) {
      list.push_back({member.field->name_at, members_[i + 1].field->name_at, {}});
    } else if (member.replaced) {
      list.push_back({value_at, end_of(member), member.value});
    }
  }
  if (kept < members_.size()) {
    const std::size_t begin =
        kept == 0 ? members_.front().field->name_at : end_of(members_[kept - 1]);
    list.push_back({begin, end_of(members_.back()), {}});
  }
  return list;
}

Pieces BodyEdit::pieces() const {
  Pieces out;
  std::size_t at = 0;
  for (Change& change : changes()) {
    out.view(body_.substr(at, change.begin - at));
    out.own(std::move(change.text));
    at = change.end;
  }
  out.view(body_.substr(at));
  return out;
}

}  // namespace tollgate::routing
