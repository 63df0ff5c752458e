// What the golden tools share: `--name value` arguments, stdin, provider lookup. The tools run a
// codec over bytes from a test; a wrong call ends the process with a sentence and status 1.
#pragma once
#include <map>
#include <string>
#include <string_view>

#include "gateway/core/http.hpp"
#include "gateway/core/outcome.hpp"
#include "routing/provider.hpp"

namespace tollgate::golden {

class Args {
 public:
  Args(int count, char** values);
  [[nodiscard]] std::string text(const std::string& name, const std::string& otherwise = {}) const;
  [[nodiscard]] bool flag(const std::string& name) const;  ///< `--x 1`, `--x true` or bare `--x`
  [[nodiscard]] int number(const std::string& name, int otherwise) const;

 private:
  std::map<std::string, std::string> values_;
};

[[noreturn]] void die(const std::string& why);
[[nodiscard]] std::string read_stdin();
[[nodiscard]] const routing::Provider& provider_of(const Args& args);
[[nodiscard]] Endpoint endpoint_of(const Args& args);
/// `--headers '{"retry-after":"1"}'`; values must be strings.
[[nodiscard]] HeaderFields headers_of(const Args& args);
/// The reply head out of --status, --content-type and --headers.
[[nodiscard]] ResponseHead head_of(const Args& args);
/// The hints out of --endpoint, --stream, --relay, --base64, --json-tool, --model.
[[nodiscard]] routing::DecodeHints hints_of(const Args& args);

}  // namespace tollgate::golden
