#include "routing/providers/openai_calls.hpp"

#include <algorithm>
#include <array>

namespace tollgate::routing::openai {
namespace {

/// FNV-1a, in hex: ids must be the same at every replay of the same reply.
std::string stable_hex(std::string_view seed, std::uint32_t choice, std::size_t index) {
  std::uint64_t hash = 14695981039346656037ULL;
  const auto mix = [&hash](std::uint64_t byte) { hash = (hash ^ byte) * 1099511628211ULL; };
  for (const char c : seed)
    mix(static_cast<unsigned char>(c));
  mix(choice);
  mix(index);
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  for (int shift = 60; shift >= 0; shift -= 4)
    hex += digits[hash >> static_cast<unsigned>(shift) & 15U];
  return hex;
}

}  // namespace

/// What one piece says; each member is JSON text, empty when absent.
struct ToolCalls::Fragment {
  std::optional<std::uint64_t> index;
  std::string id, name;
  std::string_view arguments;
};

void ToolCalls::take(std::string_view call_json, std::string_view reply_id, Batch& out) {
  std::string_view index, id, function, custom;
  pick(call_json, {{"index", index}, {"id", id}, {"function", function}, {"custom", custom}});
  std::string_view name, arguments;
  pick(function.empty() ? custom : function,
       {{"name", name}, {"arguments", arguments}, {"input", arguments}});
  Fragment fragment{count(index), text(id), text(name), arguments};
  if (fragment.id == "null") fragment.id.clear();
  add(fragment, reply_id, out);
}

void ToolCalls::take_function(std::string_view function_json, std::string_view reply_id,
                              Batch& out) {
  std::string_view name, arguments;
  pick(function_json, {{"name", name}, {"arguments", arguments}});
  add({0, {}, text(name), arguments}, reply_id, out);
}

/// The call that a fragment continues, or a new one. An index that comes again with another id and
/// a name is a new call: some providers number every call 0.
ToolCalls::Call& ToolCalls::find(const Fragment& fragment) {
  const bool begins = !fragment.name.empty() && !fragment.id.empty();
  if (fragment.index) {
    for (auto call = calls_.rbegin(); call != calls_.rend(); ++call) {
      if (call->upstream_index != fragment.index) continue;
      if (begins && !call->id.empty() && call->id != fragment.id) break;
      return *call;
    }
  } else if (!calls_.empty() && fragment.name.empty() &&
             (fragment.id.empty() || calls_.back().id == fragment.id)) {
    return calls_.back();
  }
  calls_.emplace_back().upstream_index = fragment.index;
  return calls_.back();
}

std::string ToolCalls::id_for(const Call& call, std::string_view reply_id) const {
  const auto index = static_cast<std::size_t>(&call - calls_.data());
  const bool taken = std::any_of(calls_.begin(), calls_.begin() + static_cast<long>(index),
                                 [&](const Call& other) { return other.id == call.id; });
  if (!call.id.empty() && !taken) return call.id;
  return "call_" + stable_hex(reply_id, choice_, index);
}

/// The next slice of the argument text. Objects become their JSON text; a lone `null` is how some
/// say that there are none.
std::string_view ToolCalls::arguments_of(Call& call, std::string_view value, Batch& out) {
  if (value.empty()) return {};
  std::string_view slice = value;
  if (is_string(value)) {
    slice = raw_ ? value.substr(1, value.size() - 2) : call.text.take(value, out);
  }
  if (!raw_ && !call.has_arguments && slice == "null") return {};
  call.has_arguments = call.has_arguments || !slice.empty();
  return slice;
}

void ToolCalls::add(const Fragment& fragment, std::string_view reply_id, Batch& out) {
  Call& call = find(fragment);
  if (call.id.empty()) call.id = fragment.id;
  const std::string_view slice = arguments_of(call, fragment.arguments, out);
  ToolDelta delta;
  delta.choice = choice_;
  delta.index = static_cast<std::uint32_t>(&call - calls_.data());
  if (call.shown) {
    delta.arguments = slice;
    if (!slice.empty()) out.push(delta);
    return;
  }
  call.waiting += slice;
  if (fragment.name.empty()) return;
  call.shown = true;
  delta.id = out.store(raw_ ? call.id : id_for(call, reply_id));
  delta.name = out.store(fragment.name);
  delta.arguments = out.store(call.waiting);
  call.waiting.clear();
  out.push(delta);
}

void ToolCalls::finish(bool cut_off, Batch& out) {
  if (raw_ || cut_off) return;
  for (std::size_t i = 0; i < calls_.size(); ++i) {
    if (calls_[i].has_arguments || !calls_[i].shown) continue;
    out.push(ToolDelta{choice_, static_cast<std::uint32_t>(i), {}, {}, "{}", {}});
  }
}

}  // namespace tollgate::routing::openai
