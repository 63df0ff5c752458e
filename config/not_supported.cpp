#include "config/not_supported.hpp"

#include <algorithm>

namespace tollgate::config {
namespace {

// A line leaves this table in the commit that brings its feature and its line in fields.hpp.
constexpr NotSupported table[] = {
    {"", "guard"},
    {"", "tracing"},
    {"", "metrics"},
};

constexpr std::string_view contract_kinds[] = {"openai",  "anthropic", "gemini",  "vertex", "azure",
                                               "bedrock", "cohere",    "mistral", "ollama", "demo"};

}  // namespace

std::span<const NotSupported> not_supported_keys() { return table; }

bool is_not_supported(std::string_view section, std::string_view key) {
  return std::any_of(std::begin(table), std::end(table), [&](const NotSupported& entry) {
    return entry.section == section && entry.key == key;
  });
}

bool is_contract_kind(std::string_view kind) {
  return std::find(std::begin(contract_kinds), std::end(contract_kinds), kind) !=
         std::end(contract_kinds);
}

}  // namespace tollgate::config
