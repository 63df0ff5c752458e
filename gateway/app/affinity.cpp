#include "gateway/app/affinity.hpp"

#include <functional>

#include "gateway/wire/json_walk.hpp"

namespace tollgate::app {
namespace {

/// What differs further behind is another conversation's own; its beginning is what is cached.
constexpr std::size_t bytes_max = 64U << 10U;

std::uint64_t hash_of(std::string_view text) {
  const std::uint64_t hash = std::hash<std::string_view>{}(text.substr(0, bytes_max));
  return hash != 0 ? hash : 1;
}

bool is_users(std::string_view message) {
  wire::JsonMembers members(message);
  while (members.next()) {
    if (members.name() == "role") return members.value() == "\"user\"";
  }
  return false;
}

/// From the first message to the end of the user's first one.
std::string_view beginning(std::string_view messages) {
  wire::JsonElements elements(messages);
  std::size_t end = 0;
  while (elements.next()) {
    const std::string_view message = elements.value();
    end = static_cast<std::size_t>(message.data() - messages.data()) + message.size();
    if (end > bytes_max || is_users(message)) break;
  }
  return messages.substr(0, end);
}

std::uint64_t by_prefix(const wire::RequestView& view) {
  for (const std::string_view name : {"prompt_cache_key", "messages", "prompt", "input"}) {
    const wire::JsonField* field = view.shape.find(name);
    if (field == nullptr) continue;
    return hash_of(name == "messages" ? beginning(field->value) : field->value);
  }
  return 0;
}

}  // namespace

std::uint64_t affinity_of(const wire::RequestView& view, config::Affinity by,
                          std::string_view tenant) {
  if (by == config::Affinity::prefix) return by_prefix(view);
  return view.user.empty() ? 0 : hash_of(std::string(tenant) + '\n' + view.user);
}

}  // namespace tollgate::app
