#include "gateway/wire/dialect.hpp"

#include <algorithm>

namespace tollgate::wire {
namespace {

/// Two names for one thing: a client that sent either has spoken.
constexpr std::string_view other_name(std::string_view name) {
  if (name == "max_tokens") return "max_completion_tokens";
  if (name == "max_completion_tokens") return "max_tokens";
  return name;
}

/// Decodes at the first ask and keeps the result.
template <class T, class Decode>
Result<const T*> once(std::unique_ptr<T>& kept, Decode&& decode) {
  if (!kept) {
    auto decoded = decode();
    if (!decoded) return std::unexpected(decoded.error());
    kept = std::make_unique<T>(std::move(*decoded));
  }
  return kept.get();
}

}  // namespace

Result<const ChatRequest*> RequestView::chat() const {
  auto chat = once(chat_, [this] { return dialect->decode_chat(*this); });
  if (chat && set_limit_) chat_->max_tokens = output_limit();
  return chat;
}

Result<const EmbeddingRequest*> RequestView::embedding() const {
  return once(embedding_, [this] { return dialect->decode_embedding(*this); });
}

void RequestView::limit_output(std::optional<std::uint64_t> tokens) {
  if (set_limit_ && !tokens) chat_.reset();  // it holds the limit that was set
  set_limit_ = tokens;
}

std::optional<std::int64_t> RequestView::output_limit() const {
  if (!set_limit_) return max_tokens;
  constexpr std::uint64_t most = INT32_MAX;
  return static_cast<std::int64_t>(std::min(*set_limit_, most));
}

void RequestView::set_defaults(const std::vector<RawField>* defaults) {
  defaults_ = defaults;
  for (const RawField* field : missing_defaults()) {
    const auto& [name, json] = *field;
    const auto number = json_int(json);
    if (number && other_name(name) != name) {
      max_tokens = std::max(*number, max_tokens.value_or(*number));
    }
    if (number && name == "n" && *number >= 1 && *number <= 128) {
      n = static_cast<std::uint32_t>(*number);
    }
    if (name == "user" && user.empty()) user = json_string(json).value_or("");
  }
}

std::vector<const RawField*> RequestView::missing_defaults() const {
  std::vector<const RawField*> absent;
  if (defaults_ == nullptr) return absent;
  for (const RawField& field : *defaults_) {
    const bool sent = shape.find(field.first) || shape.find(other_name(field.first));
    if (!sent) absent.push_back(&field);
  }
  return absent;
}

}  // namespace tollgate::wire
