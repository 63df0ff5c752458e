#include "gateway/wire/dialects/openai/collected_reply.hpp"

#include <algorithm>

#include "gateway/wire/json_walk.hpp"
#include "gateway/wire/reply_extra.hpp"

namespace tollgate::wire::openai {
namespace {

template <class T>
T& at_index(std::vector<T>& items, std::uint32_t index) {
  const auto at = std::ranges::find(items, index, &T::index);
  return at == items.end() ? items.emplace_back(T{.index = index}) : *at;
}

/// The last one of a name counts.
void put(std::vector<RawField>& to, const ExtraDelta& e) {
  const auto at = std::ranges::find(to, e.name, &RawField::first);
  at == to.end() ? static_cast<void>(to.emplace_back(e.name, e.json))
                 : static_cast<void>(at->second = e.json);
}

/// Two arrays become one, and two strings; `logprobs` pieces hold theirs one level deeper. Of
/// anything else the later one stands.
std::string merge_json(std::string_view first, std::string_view second);

std::string merge_arrays(std::string_view first, std::string_view second) {
  if (!JsonElements(first).next()) return std::string(second);
  if (!JsonElements(second).next()) return std::string(first);
  std::string merged(first.substr(0, first.rfind(']')));
  return merged.append(",").append(second.substr(second.find('[') + 1));
}

/// Each member of both, those they share merged.
std::string merge_logprobs(std::string_view first, std::string_view second) {
  std::string merged;
  const auto add = [&](std::string_view name, const std::string& value) {
    merged.append(merged.empty() ? "{\"" : ",\"").append(name).append("\":").append(value);
  };
  for (JsonMembers members(first); members.next();) {
    const auto more = json_member(second, members.name());
    add(members.name(), merge_json(members.value(), more.value_or("null")));
  }
  for (JsonMembers members(second); members.next();) {
    if (!json_member(first, members.name())) add(members.name(), std::string(members.value()));
  }
  return merged.empty() ? "{}" : merged + "}";
}

std::string merge_strings(std::string_view first, std::string_view second) {
  return std::string(first.substr(0, first.size() - 1)).append(second.substr(1));
}

std::string merge_json(std::string_view first, std::string_view second) {
  if (json_kind(second) == JsonKind::null) return std::string(first);
  if (json_kind(first) == JsonKind::string && json_kind(second) == JsonKind::string) {
    return merge_strings(first, second);
  }
  const bool arrays = json_kind(first) == JsonKind::array && json_kind(second) == JsonKind::array;
  return arrays ? merge_arrays(first, second) : std::string(second);
}

}  // namespace

FinishReason CollectedChoice::finish_reason() const {
  return finish.value_or(calls.empty() ? FinishReason::stop : FinishReason::tool_calls);
}

CollectedChoice& CollectedReply::choice(std::uint32_t index) { return at_index(choices, index); }

void CollectedReply::add(const StreamEvent& event) {
  std::visit([this](const auto& e) { on(e); }, event);
}

void CollectedReply::on(const ReasoningDelta& e) {
  CollectedChoice& to = choice(e.choice);
  to.reasoning += e.text;
  to.open_thinking += e.text;
  if (e.signature.empty() && e.redacted.empty()) return;
  ThinkingBlock& block = to.thinking.emplace_back();
  block.signature = e.signature;
  block.redacted = e.redacted;
  if (e.redacted.empty()) block.text = std::move(to.open_thinking);
  to.open_thinking.clear();
}

void CollectedReply::on(const ToolDelta& e) {
  CollectedCall& call = at_index(choice(e.choice).calls, e.index);
  if (call.id.empty()) call.id = e.id;
  if (call.name.empty()) call.name = e.name;
  call.arguments += e.arguments;
  call.signature += e.signature;
}

void CollectedReply::on(const ExtraDelta& e) {
  if (e.choice == of_reply) return put(members, e);
  if (e.choice == of_usage) return put(usage_members, e);
  if ((e.choice & of_choice) != 0) return put(choice(e.choice & ~of_choice).members, e);
  std::vector<RawField>& extras = choice(e.choice).extras;
  const auto at = std::ranges::find(extras, e.name, &RawField::first);
  if (at == extras.end()) {
    extras.emplace_back(e.name, e.json);
  } else {
    at->second =
        e.name == "logprobs" ? merge_logprobs(at->second, e.json) : merge_json(at->second, e.json);
  }
}

void CollectedReply::complete() {
  if (choices.empty()) choices.push_back({});
  std::ranges::sort(choices, {}, &CollectedChoice::index);
  for (CollectedChoice& each : choices) {
    std::ranges::sort(each.calls, {}, &CollectedCall::index);
  }
}

}  // namespace tollgate::wire::openai
