// The operator's file: no text takes the loader down; it gives a configuration or says where the
// text is wrong, and what may be shown shows no secret.
#include <algorithm>
#include <string>

#include "config/load.hpp"
#include "tests/fuzz/input.hpp"

using namespace tollgate;
using fuzz::require;

namespace {

constexpr std::string_view secret = "fuzz-secret-value";

config::Surroundings surroundings() {
  config::Surroundings fake;
  fake.environment = [](const std::string& name) -> std::optional<std::string> {
    if (name.starts_with("NO")) return std::nullopt;
    return name.starts_with("EMPTY") ? std::string() : std::string(secret);
  };
  fake.provider_kinds = {"openai", "anthropic", "gemini", "demo"};
  fake.kinds_without_key = {"demo"};
  return fake;
}

/// Reading real files would make a run depend on the machine.
bool names_files(std::string_view text) {
  return text.find("file") != std::string_view::npos ||
         text.find("include") != std::string_view::npos;
}

void check_problem(const config::Problem& problem, std::int64_t lines) {
  require(!problem.message.empty(), "a problem says what it is");
  require(problem.line >= 0 && problem.line <= lines + 1, "and where, in the text");
  require(problem.column >= 0, "and in the line");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(fuzz::text_of(data, size));
  if (names_files(text)) return -1;
  const auto loaded = config::load_text(text, "fuzz.yaml", surroundings());
  require(loaded.config.has_value() == loaded.problems.empty(), "a config or problems");
  const auto lines =
      std::count_if(text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r'; }) + 1;
  for (const config::Problem& problem : loaded.problems)
    check_problem(problem, lines);
  if (!loaded.config) return 0;
  const std::string masked = config::masked_yaml(*loaded.config);
  for (const auto& [name, provider] : loaded.config->providers) {
    for (const config::Secret& key : provider.api_keys) {
      if (key.value == secret) require(masked.find(secret) == std::string::npos, "secrets masked");
    }
  }
  require(config::restart_required(*loaded.config, *loaded.config).empty(), "equal to itself");
  return 0;
}
