// Loading: YAML text -> Config, or every error at once with file, line, column and likely spelling.
// Called by the commands, at start and at each reload; reads files, touches nothing else. Any
// thread.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"

namespace tollgate::config {

/// One thing wrong, at a place. `line` and `column` count from 1; 0: the file as a whole.
struct Problem {
  std::string file;
  int line = 0, column = 0;
  std::string message;
  [[nodiscard]] std::string text()
      const;  ///< `tollgate.yaml:14:7: unknown key "max_token" (did you mean "max_tokens"?)`
};

struct Loaded {
  std::optional<Config> config;  ///< absent when there are problems
  std::vector<Problem> problems;
  std::vector<std::string> notes;  ///< worth a log line: disabled providers, insecure TLS
  std::vector<std::string> files;  ///< what to watch, also after an error: as Config::files
};

/// What loading asks of the outside; tests replace it. `kinds` and their default URLs come from
/// routing's registry, which config may not include.
struct Surroundings {
  std::function<std::optional<std::string>(const std::string& name)> environment;
  std::vector<std::string> provider_kinds;
  std::vector<std::string> kinds_without_key;       ///< may have no api_key (demo)
  std::vector<std::string> kinds_without_base_url;  ///< have no default: base_url is required
};

/// Reads `path` and its includes. Relative paths count from the file that names them.
[[nodiscard]] Loaded load_file(const std::string& path, const Surroundings& surroundings);
/// Reads text (the embedded default); `name` stands in messages. `include` is an error here.
[[nodiscard]] Loaded load_text(std::string_view text, const std::string& name,
                               const Surroundings& surroundings);
/// The shipped config/tollgate.yaml, embedded at build time.
[[nodiscard]] std::string_view shipped_default();
/// The published demo key of the shipped default (the one secret that may be printed).
[[nodiscard]] std::string_view published_demo_key();
/// JSON Schema (draft 2020-12) of exactly the keys this build supports.
[[nodiscard]] std::string schema_json();
/// The configuration as YAML with every secret masked, for GET /admin/config.
[[nodiscard]] std::string masked_yaml(const Config& config);
/// Keys whose change needs a restart, among `listen.{http,admin,metrics,workers}`, that differ.
[[nodiscard]] std::vector<std::string> restart_required(const Config& before, const Config& after);

/// What forbids serving `config` on its `listen.http`, say after `--listen` has replaced it: the
/// demo key or `auth: none` beyond loopback. Empty: nothing.
[[nodiscard]] std::vector<std::string> exposure_problems(const Config& config);
/// `127.0.0.1:8080`, `:8080`, `[::1]:8080`, `localhost:8080`; nothing else.
[[nodiscard]] std::optional<HostPort> parse_host_port(std::string_view text);
/// The candidate within two edits of `word`, or empty.
[[nodiscard]] std::string_view suggest(std::string_view word,
                                       const std::vector<std::string_view>& candidates);

/// `tollgate key new`: the secret and its YAML line.
struct NewKey {
  std::string secret, yaml_line;
};
/// An empty `id` becomes the tenant's name and four random characters.
[[nodiscard]] NewKey make_key(const std::string& tenant, std::string id);
/// Letters, digits, `.`, `_` and `-`, beginning with a letter or digit, at most 64.
[[nodiscard]] bool valid_key_id(std::string_view id);
/// Lower-case hex SHA-256.
[[nodiscard]] std::string sha256_hex(std::string_view bytes);
/// True when `pattern` (exact, or with one trailing `*`) covers `name`.
[[nodiscard]] bool matches(std::string_view pattern, std::string_view name);

}  // namespace tollgate::config
