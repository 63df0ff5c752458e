#include "policies/cache/extras.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>

#include "gateway/wire/json_walk.hpp"
#include "gateway/wire/reply_extra.hpp"
#include "policies/cache/reply.hpp"

namespace tollgate::cache {
namespace {

using Names = std::span<const std::string_view>;

// What the events say, or the identity of a reply, or what pads one chunk.
constexpr std::array<std::string_view, 8> reply_names{"id",      "object", "created",     "model",
                                                      "choices", "usage",  "obfuscation", "error"};
constexpr std::array<std::string_view, 7> choice_names{"index",         "message",  "delta", "text",
                                                       "finish_reason", "logprobs", "usage"};
constexpr std::array<std::string_view, 10> message_names{
    "role",      "content",       "refusal",    "reasoning_content",
    "reasoning", "function_call", "tool_calls", "annotations",
    "audio",     "images"};
// A price of the provider's is not the price of a reply that is given again.
constexpr std::array<std::string_view, 7> usage_names{
    "prompt_tokens",         "completion_tokens",         "total_tokens", "cost",
    "prompt_tokens_details", "completion_tokens_details", "cost_details"};

/// Calls `use` with each member that says something and is none of `known`.
template <class Use>
void for_unknown(std::string_view object, Names known, Use use) {
  if (!object.starts_with('{')) return;
  for (wire::JsonMembers members(object); members.next();) {
    const std::string_view name = members.name();
    const bool says = wire::json_kind(members.value()) != wire::JsonKind::null;
    if (says && std::ranges::find(known, name) == known.end()) use(name, members.value());
  }
}

std::uint32_t index_in(std::string_view choice, std::uint32_t position) {
  std::uint32_t index = position;
  const auto text = wire::json_member(choice, "index");
  if (text) std::from_chars(text->data(), text->data() + text->size(), index);
  return index;
}

ExtraDelta event_of(std::uint32_t place, std::string_view name, std::string_view json) {
  return {.choice = place, .name = name, .json = json};
}

}  // namespace

void RelayedExtras::take(const Batch& batch) {
  fresh_.clear();
  events_.clear();
  for (const Frame& frame : batch.frames) {
    const std::size_t open = frame.changed ? std::string_view::npos : frame.wire.find('{');
    if (open != std::string_view::npos) take_reply(frame.wire.substr(open));
  }
  for (const Extra& extra : fresh_)
    events_.emplace_back(event_of(extra.place, extra.name, extra.json));
}

void RelayedExtras::take_reply(std::string_view json) {
  std::string_view choices, usage;
  for (wire::JsonMembers members(json); members.next();) {
    const std::string_view name = members.name(), value = members.value();
    if (name == "choices") choices = value;
    if (name == "usage") usage = value;
    const bool known = std::ranges::find(reply_names, name) != reply_names.end();
    if (!known && value != "null") take_member(wire::of_reply, name, value);
  }
  std::uint32_t position = 0;
  for (wire::JsonElements each(choices); each.next();)
    take_choice(each.value(), position++);
  for_unknown(usage, usage_names, [&](std::string_view name, std::string_view value) {
    take_member(wire::of_usage, name, value);
  });
}

void RelayedExtras::take_choice(std::string_view json, std::uint32_t position) {
  const std::uint32_t index = index_in(json, position);
  if (index >= wire::of_choice) return;
  for_unknown(json, choice_names, [&](std::string_view name, std::string_view value) {
    take_member(wire::of_choice | index, name, value);
  });
  for (const std::string_view inner : {"delta", "message"}) {
    const auto message = wire::json_member(json, inner);
    if (!message) continue;
    for_unknown(*message, message_names, [&](std::string_view name, std::string_view value) {
      take_delta(index, name, value);
    });
  }
}

void RelayedExtras::take_member(std::uint32_t place, std::string_view name, std::string_view json) {
  const auto known = std::ranges::find_if(
      members_, [&](const Extra& e) { return e.place == place && e.name == name; });
  const bool first = known == members_.end();
  Extra& member = first ? members_.emplace_back(Extra{place, std::string(name), {}}) : *known;
  if (member.json == json) return;
  size_ += json.size() + (first ? name.size() : 0) - member.json.size();
  member.json = json;
  fresh_.push_back(member);
}

void RelayedExtras::take_delta(std::uint32_t choice, std::string_view name, std::string_view json) {
  fresh_.push_back({choice, std::string(name), std::string(json)});
  size_ += name.size() + json.size();
  if (!too_large()) write_event(deltas_, event_of(choice, name, json));
}

std::string RelayedExtras::bytes() const {
  std::string out = deltas_;
  for (const Extra& member : members_)
    write_event(out, event_of(member.place, member.name, member.json));
  return out;
}

}  // namespace tollgate::cache
