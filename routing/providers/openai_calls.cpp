#include "routing/providers/openai_calls.hpp"

#include <algorithm>
#include <array>

#include "routing/providers/json_tree.hpp"

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
std::size_t ToolCalls::find(const Fragment& fragment) {
  const bool begins = !fragment.name.empty() && !fragment.id.empty();
  if (fragment.index) {
    for (std::size_t at = calls_.size(); at-- > 0;) {
      if (calls_[at].upstream_index != fragment.index) continue;
      if (begins && !calls_[at].id.empty() && calls_[at].id != fragment.id) break;
      return at;
    }
  } else if (!calls_.empty() && fragment.name.empty() &&
             (fragment.id.empty() || calls_.back().id == fragment.id)) {
    return calls_.size() - 1;
  }
  calls_.emplace_back().upstream_index = fragment.index;
  return calls_.size() - 1;
}

std::string ToolCalls::id_for(const Call& call, std::string_view reply_id) const {
  const auto index = static_cast<std::size_t>(&call - calls_.data());
  const bool taken = std::any_of(calls_.begin(), calls_.begin() + static_cast<long>(index),
                                 [&](const Call& other) { return other.id == call.id; });
  if (raw_ || (!call.id.empty() && !taken)) return call.id;
  return "call_" + stable_hex(reply_id, choice_, index);
}

/// Adds the next slice of the argument text. Objects become their JSON text; a lone `null` is how
/// some say that there are none.
void ToolCalls::add_arguments(Call& call, std::string_view value, Batch& out) const {
  if (value.empty()) return;
  std::string_view slice = value;
  if (is_string(value)) {
    slice = raw_ ? value.substr(1, value.size() - 2) : call.text.take(value, out);
  }
  if (!raw_ && call.arguments.empty() && slice == "null") return;
  call.arguments += slice;
}

void ToolCalls::add(const Fragment& fragment, std::string_view reply_id, Batch& out) {
  const std::size_t known = calls_.size(), at = find(fragment);
  Call& call = calls_[at];
  if (call.id.empty()) call.id = fragment.id;
  if (call.name.empty()) call.name = fragment.name;
  add_arguments(call, fragment.arguments, out);
  if (raw_) return show(call, reply_id, out);
  // A later call's fragment cannot complete the open one.
  if (at == open_ || at == known) advance(reply_id, out);
}

/// Tells the open call as far as it is known, and goes on to the next one once its arguments are
/// whole: clients parse a call as soon as another begins.
void ToolCalls::advance(std::string_view reply_id, Batch& out) {
  for (; open_ < calls_.size(); ++open_) {
    show(calls_[open_], reply_id, out);
    if (open_ + 1 == calls_.size() || !is_json(calls_[open_].arguments)) return;
  }
}

/// What of the call did not go out yet; nothing before its name is known.
void ToolCalls::show(Call& call, std::string_view reply_id, Batch& out) {
  if (call.name.empty()) return;
  ToolDelta delta;
  delta.choice = choice_;
  if (!call.shown) {
    call.index = next_index_++;
    delta.id = out.store(id_for(call, reply_id));
    delta.name = out.store(call.name);
  }
  delta.index = call.index;
  delta.arguments = out.store(std::string_view(call.arguments).substr(call.sent));
  if (!call.shown || !delta.arguments.empty()) out.push(delta);
  call.shown = true;
  call.sent = call.arguments.size();
}

void ToolCalls::finish(bool cut_off, std::string_view reply_id, Batch& out) {
  if (raw_) return;
  for (; open_ < calls_.size(); ++open_) {
    Call& call = calls_[open_];
    const bool may_be_cut = cut_off && open_ + 1 == calls_.size();
    if (call.arguments.empty() && !may_be_cut) call.arguments = "{}";
    show(call, reply_id, out);
  }
}

}  // namespace tollgate::routing::openai
