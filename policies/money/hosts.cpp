// What is known of hosts and model names without asking anybody.
#include <algorithm>
#include <array>

#include "policies/money/bound.hpp"

namespace tollgate::policies {
namespace {

/// Providers whose overhead is the usual one: they bill what their own documentation says.
constexpr std::array<std::string_view, 20> hosts{"api.openai.com",
                                                 "api.anthropic.com",
                                                 "generativelanguage.googleapis.com",
                                                 "api.groq.com",
                                                 "api.deepseek.com",
                                                 "api.mistral.ai",
                                                 "api.x.ai",
                                                 "api.together.xyz",
                                                 "api.fireworks.ai",
                                                 "api.perplexity.ai",
                                                 "openrouter.ai",
                                                 "api.cohere.com",
                                                 "api.cohere.ai",
                                                 "api.cerebras.ai",
                                                 "api.sambanova.ai",
                                                 "api.moonshot.ai",
                                                 "api.moonshot.cn",
                                                 "router.huggingface.co",
                                                 "api.studio.nebius.ai",
                                                 "integrate.api.nvidia.com"};

/// Of any cloud's customers.
constexpr std::array<std::string_view, 4> domains{".openai.azure.com", ".amazonaws.com",
                                                  ".aiplatform.googleapis.com",
                                                  "-aiplatform.googleapis.com"};

bool begins(std::string_view model, std::string_view prefix) { return model.starts_with(prefix); }

}  // namespace

bool known_host(std::string_view host) {
  if (std::ranges::find(hosts, host) != hosts.end()) return true;
  return std::ranges::any_of(domains,
                             [&](std::string_view domain) { return host.ends_with(domain); });
}

bool is_reasoning_model(std::string_view model) {
  model.remove_prefix(std::min(model.size(), model.rfind('/') + 1));
  constexpr std::array<std::string_view, 8> prefixes{"o1",          "o3",     "o4",         "gpt-5",
                                                     "grok-3-mini", "grok-4", "deepseek-r", "qwq"};
  constexpr std::array<std::string_view, 6> parts{"reason",   "think", "gemini-2.5",
                                                  "gemini-3", "-r1",   "magistral"};
  return std::ranges::any_of(prefixes, [&](auto prefix) { return begins(model, prefix); }) ||
         std::ranges::any_of(parts, [&](auto part) { return model.find(part) != model.npos; });
}

}  // namespace tollgate::policies
