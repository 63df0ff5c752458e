#include "policies/money/hosts.hpp"

#include <algorithm>
#include <array>

namespace tollgate::policies {
namespace {

/// Providers whose overhead is the usual one: they bill what their own documentation says.
constexpr std::array<std::string_view, 22> hosts{"api.openai.com",
                                                 "api.anthropic.com",
                                                 "generativelanguage.googleapis.com",
                                                 "api.groq.com",
                                                 "api.deepseek.com",
                                                 "api.mistral.ai",
                                                 "api.x.ai",
                                                 "api.together.xyz",
                                                 "api.together.ai",
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
                                                 "integrate.api.nvidia.com",
                                                 "aiplatform.googleapis.com"};

/// Of any cloud's customers.
constexpr std::array<std::string_view, 6> domains{
    ".openai.azure.com", ".services.ai.azure.com",     ".cognitiveservices.azure.com",
    ".amazonaws.com",    ".aiplatform.googleapis.com", "-aiplatform.googleapis.com"};

constexpr std::array<std::string_view, 3> azure_domains{
    ".openai.azure.com", ".services.ai.azure.com", ".cognitiveservices.azure.com"};

/// Shown by their documentation or by bills; every other kind is taken to bill to the end.
constexpr std::array<std::string_view, 4> stop_on_close{"openai", "anthropic", "gemini", "demo"};

bool begins(std::string_view model, std::string_view prefix) { return model.starts_with(prefix); }

bool is_digit(char c) { return c >= '0' && c <= '9'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// '0' stands for a digit.
bool ends_like(std::string_view text, std::string_view pattern) {
  if (text.size() <= pattern.size()) return false;
  text.remove_prefix(text.size() - pattern.size());
  return std::ranges::equal(
      text, pattern, [](char c, char wanted) { return wanted == '0' ? is_digit(c) : c == wanted; });
}

struct Snapshot {
  std::string_view base, date;
};

Snapshot snapshot_of(std::string_view model) {
  model = bare_model(model);
  // The longest first: a date ends with what looks like a shorter one.
  for (const std::string_view form :
       {"-0000-00-00", "-00000000", "@00000000", "-0000", "-000", "-latest"}) {
    if (!ends_like(model, form)) continue;
    const std::size_t size = model.size() - form.size();
    return {model.substr(0, size), form == "-latest" ? "" : model.substr(size + 1)};
  }
  return {model, {}};
}

bool equal_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

std::string_view bare_model(std::string_view model) {
  return model.substr(model.rfind('/') + 1);  // npos + 1 is 0
}

bool known_host(std::string_view host) {
  if (std::ranges::find(hosts, host) != hosts.end()) return true;
  return std::ranges::any_of(domains,
                             [&](std::string_view domain) { return host.ends_with(domain); });
}

bool is_reasoning_model(std::string_view model) {
  model = bare_model(model);
  constexpr std::array<std::string_view, 8> prefixes{"o1",          "o3",     "o4",         "gpt-5",
                                                     "grok-3-mini", "grok-4", "deepseek-r", "qwq"};
  constexpr std::array<std::string_view, 6> parts{"reason",   "think", "gemini-2.5",
                                                  "gemini-3", "-r1",   "magistral"};
  return std::ranges::any_of(prefixes, [&](auto prefix) { return begins(model, prefix); }) ||
         std::ranges::any_of(parts, [&](auto part) { return model.find(part) != model.npos; });
}

bool reasons_outside_limit(std::string_view model) { return begins(bare_model(model), "grok"); }

bool searches_by_itself(std::string_view model) {
  if (model.ends_with(":online")) return true;
  model = bare_model(model);
  return begins(model, "sonar") || begins(model, "compound") ||
         model.find("-search-preview") != model.npos;
}

bool stops_billing_on_close(std::string_view kind) {
  return std::ranges::find(stop_on_close, kind) != stop_on_close.end();
}

bool bills_timeouts(std::string_view kind, std::string_view host) {
  return kind == "azure" || std::ranges::any_of(azure_domains, [&](std::string_view domain) {
           return host.ends_with(domain);
         });
}

bool same_model(std::string_view asked, std::string_view named) {
  if (asked == named) return true;  // nearly every reply
  if (equal_name(bare_model(asked), bare_model(named))) return true;
  const Snapshot a = snapshot_of(asked), b = snapshot_of(named);
  return equal_name(a.base, b.base) && (a.date.empty() || b.date.empty());
}

}  // namespace tollgate::policies
