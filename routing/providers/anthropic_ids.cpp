#include "routing/providers/anthropic_ids.hpp"

#include <algorithm>
#include <cstdint>

namespace tollgate::routing::anthropic {
namespace {

constexpr std::size_t id_bytes_max = 64;  // the narrowest host of these models (Bedrock)

constexpr bool is_allowed(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

/// Nothing that could tie a result to its call.
bool is_missing(std::string_view id) { return id.empty() || id == "null"; }

std::string hash_of(std::string_view text) {
  std::uint32_t hash = 2166136261U;  // FNV-1a: the same on every machine and in every run
  for (const char c : text)
    hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (int shift = 28; shift >= 0; shift -= 4)
    out += digits[hash >> static_cast<unsigned>(shift) & 15U];
  return out;
}

}  // namespace

std::string clean_tool_id(std::string_view id) {
  if (id.size() <= id_bytes_max && std::ranges::all_of(id, is_allowed)) return std::string(id);
  constexpr std::size_t hash_bytes = 9;
  std::string out(id.substr(0, id_bytes_max - hash_bytes));
  std::ranges::replace_if(out, [](char c) { return !is_allowed(c); }, '_');
  return out + "_" + hash_of(id);
}

std::string ToolIds::call(std::string_view id) {
  ++calls_;
  const std::string base = is_missing(id) ? "call_" + std::to_string(calls_) : clean_tool_id(id);
  std::string sent = base;
  for (int turn = 2; used_.contains(sent); ++turn)
    sent = base + "_" + std::to_string(turn);
  used_.insert(sent);
  open_.push_back({std::string(id), sent});
  return sent;
}

std::string ToolIds::result(std::string_view id) {
  for (Open& call : open_) {
    if (call.answered || (call.asked != id && !is_missing(id))) continue;
    call.answered = true;
    return call.sent;
  }
  // No such call is open: sent as it is, for the provider to judge.
  return is_missing(id) ? "call_0" : clean_tool_id(id);
}

}  // namespace tollgate::routing::anthropic
