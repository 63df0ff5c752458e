#include "policies/cache/inputs.hpp"

#include <algorithm>
#include <utility>

#include "gateway/wire/json_walk.hpp"

namespace tollgate::cache {
namespace {

/// The JSON of each input: a text, its tokens, or several of one kind.
std::vector<std::string_view> inputs_of(const wire::RequestView& view) {
  const wire::JsonField* field = view.shape.find("input");
  if (field == nullptr) return {};
  if (wire::json_kind(field->value) != wire::JsonKind::array) return {field->value};
  std::vector<std::string_view> inputs;
  for (wire::JsonElements items(field->value); items.next();) {
    if (wire::json_kind(items.value()) == wire::JsonKind::number) return {field->value};
    inputs.push_back(items.value());
  }
  return inputs;
}

}  // namespace

Inputs::Inputs(const KeyScope& scope, const wire::RequestView& view) {
  const InputKeys keys(scope, view);
  for (std::string_view input : inputs_of(view)) {
    missing_.push_back(items_.size());
    Item& item = items_.emplace_back();
    item.key = keys.of(input);
    item.bytes = input.size();
  }
}

void Inputs::look(MemoryCache& store, SteadyTime now, std::optional<std::chrono::seconds> max_age) {
  begin_look();
  for (Item& item : items_) {
    item.stored = store.find(item.key, now);
    if (!item.stored) continue;
    const SteadyTime since = item.stored.stored_at();
    if (!max_age || now - since <= *max_age) read(item, item.stored.bytes(), since);
  }
  end_look();
}

void Inputs::take_stored(std::vector<std::optional<Stored>> stored) {
  begin_look();
  for (std::size_t i = 0; i < items_.size() && i < stored.size(); ++i) {
    if (!stored[i]) continue;
    items_[i].elsewhere = std::move(stored[i]->bytes);
    read(items_[i], items_[i].elsewhere, stored[i]->since);
  }
  end_look();
}

std::vector<Digest> Inputs::keys() const {
  std::vector<Digest> keys;
  for (const Item& item : items_)
    keys.push_back(item.key);
  return keys;
}

void Inputs::begin_look() {
  facts_ = {};
  oldest_ = never;
  for (Item& item : items_)
    item.floats = {};
}

void Inputs::end_look() {
  missing_.clear();
  for (std::size_t i = 0; i < items_.size(); ++i) {
    if (items_[i].floats.empty()) missing_.push_back(i);
  }
}

void Inputs::read(Item& item, std::string_view bytes, SteadyTime since) {
  auto reply = read_reply(bytes);
  if (!reply) return;
  for (const StreamEvent& event : reply->events) {
    if (const auto* vector = std::get_if<Embedding>(&event)) item.floats = vector->floats;
  }
  if (item.floats.empty()) return;
  oldest_ = std::min(oldest_, since);
  reply->facts.cost = add_saturated(avoided(), reply->facts.cost.value_or(0));
  facts_ = std::move(reply->facts);
}

StoredReply Inputs::reply() const {
  StoredReply reply{.facts = facts_, .events = {Started{}}, .relayed = {}};
  for (std::size_t i = 0; i < items_.size(); ++i)
    reply.events.emplace_back(Embedding{static_cast<std::uint32_t>(i), items_[i].floats});
  reply.events.emplace_back(UsageEvent{});
  reply.events.emplace_back(Ended{});
  return reply;
}

std::string Inputs::shorter_body(const wire::RequestView& view) const {
  const wire::JsonField& field = *view.shape.find("input");
  const std::vector<std::string_view> inputs = inputs_of(view);
  const std::size_t at = field.value_at(view.body);
  std::string body(view.body.substr(0, at));
  body.reserve(view.body.size());
  for (const std::size_t i : missing_)
    body.append(i == missing_.front() ? "[" : ",").append(inputs[i]);
  body.append("]").append(view.body.substr(at + field.value.size()));
  return body;
}

Result<void> Inputs::take(Batch& batch) {
  bool ended = false;
  for (const StreamEvent& event : batch.events) {
    ended = ended || std::holds_alternative<Ended>(event);
    if (const auto* started = std::get_if<Started>(&event)) model_ = started->model;
    const auto* vector = std::get_if<Embedding>(&event);
    if (vector == nullptr || vector->index >= missing_.size()) continue;
    Item& item = items_[missing_[vector->index]];
    item.fresh = vector->floats;
    item.floats = item.fresh;
  }
  if (missing_.size() == items_.size()) return {};
  if (ended) {
    auto checked = check();
    if (!checked) return checked;
  }
  Batch whole;
  whole.blocks = batch.blocks;
  for (const StreamEvent& event : batch.events) {
    if (std::holds_alternative<Ended>(event)) {
      for (std::size_t i = 0; i < items_.size(); ++i)
        whole.push(Embedding{static_cast<std::uint32_t>(i), items_[i].floats});
    }
    if (!std::holds_alternative<Embedding>(event)) whole.push(event);
  }
  batch = std::move(whole);
  return {};
}

/// Vectors of another length would not be of the model that the stored ones are of.
Result<void> Inputs::check() const {
  const std::size_t length = items_.front().floats.size();
  const bool whole = std::ranges::all_of(
      items_, [&](const Item& item) { return item.floats.size() == length && length > 0; });
  if (whole) return {};
  return fail(ErrorKind::upstream_error, "the provider's vectors are not those of all inputs");
}

void Inputs::keep(ReplyFacts facts, std::size_t bytes_max, const Use& use) const {
  const NanoUsd cost = facts.cost.value_or(0);
  std::size_t bytes = 0;
  for (const std::size_t i : missing_)
    bytes += items_[i].bytes;
  for (const std::size_t i : missing_) {
    const Item& item = items_[i];
    if (item.fresh.empty()) continue;
    const double share = static_cast<double>(item.bytes) / static_cast<double>(bytes);
    facts.cost = static_cast<NanoUsd>(static_cast<double>(cost) * share);
    std::string entry;
    write_facts(entry, facts);
    write_event(entry, Embedding{0, item.fresh});
    if (entry.size() <= bytes_max) use(item.key, std::move(entry));
  }
}

}  // namespace tollgate::cache
