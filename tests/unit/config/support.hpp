// What the tests of this folder share: surroundings without a real environment, and a load that
// yields the texts of its problems.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "config/load.hpp"

namespace tollgate::config {

inline Surroundings surroundings(std::map<std::string, std::string> variables = {}) {
  Surroundings out;
  out.environment = [variables](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
  out.provider_kinds = {"openai", "anthropic", "gemini", "demo"};
  out.kinds_without_key = {"openai", "demo"};
  return out;
}

inline Loaded load(std::string_view text, std::map<std::string, std::string> variables = {}) {
  return load_text(text, "t.yaml", surroundings(std::move(variables)));
}

inline std::vector<std::string> texts(const Loaded& loaded) {
  std::vector<std::string> out;
  for (const Problem& problem : loaded.problems)
    out.push_back(problem.text());
  return out;
}

/// Every problem on a line of its own.
inline std::string report(std::string_view text,
                          std::map<std::string, std::string> variables = {}) {
  std::string out;
  for (const std::string& line : texts(load(text, std::move(variables))))
    out += line + "\n";
  return out;
}

/// The least that loads; what a test adds comes behind it.
inline const std::string minimal =
    "version: 1\n"
    "tenants: {acme: {}}\n"
    "providers: {up: {kind: openai, base_url: \"http://127.0.0.1:1/v1\"}}\n";
/// Lines of `minimal`, so that a test can count on.
inline constexpr int minimal_lines = 3;

inline const std::string digest(64, 'a');

}  // namespace tollgate::config
