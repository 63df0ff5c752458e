#include <doctest/doctest.h>
#include <unistd.h>

#include "tests/unit/config/support.hpp"
#include "tests/unit/config/temporary_folder.hpp"

using namespace tollgate::config;

namespace {

std::string key_of(const std::string& value, std::map<std::string, std::string> variables) {
  const Loaded loaded = load(
      "version: 1\ntenants: {a: {}}\nproviders:\n  p:\n    kind: openai\n    api_key: " + value +
          "\n",
      std::move(variables));
  if (!loaded.config) return "problem: " + loaded.problems.front().text();
  const auto& key = loaded.config->providers.at("p").api_key;
  return key ? key->value : "(nothing)";
}

}  // namespace

TEST_CASE("variables, defaults and dollars") {
  const std::map<std::string, std::string> variables{{"K", "v"}, {"E", ""}, {"S", "a: {b} # $K"}};
  CHECK(key_of("${K}", variables) == "v");
  CHECK(key_of("x${K}y${K}", variables) == "xvyv");
  CHECK(key_of("'${K}'", variables) == "v");
  CHECK(key_of("${NO:-d e}", variables) == "d e");
  CHECK(key_of("${E:-d}", variables) == "d");
  CHECK(key_of("${E}", variables) == "(nothing)");
  CHECK(key_of("${NO:-}", variables) == "(nothing)");
  CHECK(key_of("$${K}", variables) == "${K}");
  CHECK(key_of("a$$b$c", variables) == "a$b$c");
  // What comes in is a value, never YAML and never expanded again.
  CHECK(key_of("${S}", variables) == "a: {b} # $K");
}

TEST_CASE("what cannot be expanded") {
  CHECK(
      key_of("${NO}", {}) ==
      "problem: t.yaml:6:14: the environment has no variable NO (${NO:-default} would do without)");
  CHECK(key_of("${K", {}) == "problem: t.yaml:6:14: ${ without its closing }");
  CHECK(key_of("${1K}", {}) ==
        "problem: t.yaml:6:14: ${1K} is none of ${NAME}, ${NAME:-default} and ${file:path}");
  CHECK(key_of("$KEY", {}) ==
        "problem: t.yaml:6:14: write ${NAME} for a variable and $$ for a dollar");
  CHECK(key_of("${K}", {{"K", "bad\xff"}}) ==
        "problem: t.yaml:6:14: the value of K is not plain text");
  CHECK(key_of("${K}", {{"K", "two\nlines"}}) ==
        "problem: t.yaml:6:14: \"api_key\" must not contain line breaks or control characters");
}

TEST_CASE("an expanded value has the type that is asked for, and is never shown") {
  const Loaded loaded =
      load(minimal + "listen: {workers: \"${W}\", heartbeat: \"${H:-5s}\"}\n", {{"W", "3"}});
  REQUIRE(loaded.config);
  CHECK(loaded.config->listen.workers == 3);
  CHECK(loaded.config->listen.heartbeat == Duration(5000));

  const std::map<std::string, std::string> secret{{"S", "sesame"}};
  for (const char* yaml :
       {"listen: {workers: \"${S}\"}", "listen: {http: \"${S}\"}", "auth: ${S}",
        "log: {level: \"${S}\"}", "listen: {heartbeat: \"${S}\"}",
        "models: {m: {targets: [{provider: \"${S}\", model: x}]}}",
        "models: {m: {targets: [{provider: up, model: x}], strategy: \"${S}\"}}"}) {
    const std::string problems = report(minimal + yaml + "\n", secret);
    INFO(yaml);
    CHECK_FALSE(problems.empty());
    CHECK(problems.find("sesame") == std::string::npos);
  }
}

TEST_CASE("a secret in the wrong place is not shown either") {
  for (const char* yaml :
       {"  p: {kind: openai, api_keys: sesame}", "  p: {kind: openai, api_key: [sesame]}",
        "  p: {kind: openai, headers: sesame}", "  p: {kind: openai, api_key: {a: sesame}}"}) {
    const std::string problems =
        report(std::string("version: 1\ntenants: {a: {}}\nproviders:\n") + yaml + "\n");
    INFO(yaml);
    CHECK_FALSE(problems.empty());
    CHECK(problems.find("sesame") == std::string::npos);
  }
}

TEST_CASE("files") {
  const TemporaryFolder folder;
  folder.write("key", "from file\r\n");
  folder.write("keep", "two\n\n");
  CHECK(key_of("${file:" + folder.path("key") + "}", {}) == "from file");
  CHECK(key_of("${file:" + folder.path("keep") + "}", {}).find("line breaks") != std::string::npos);
  CHECK(key_of("${file:" + folder.path("none") + "}", {}) ==
        "problem: t.yaml:6:14: cannot read \"" + folder.path("none") +
            "\": No such file or directory");
  CHECK(key_of("${file:/dev/zero}", {}) ==
        "problem: t.yaml:6:14: cannot read \"/dev/zero\": not a regular file");
  // Relative paths count from the file, and the watch hears of them.
  folder.write("t.yaml",
               "version: 1\ntenants: {a: {}}\nproviders:\n  p: {kind: openai, api_key: "
               "\"${file:key}\"}\n");
  const Loaded loaded = load_file(folder.path("t.yaml"), surroundings());
  REQUIRE(loaded.config);
  CHECK(loaded.config->providers.at("p").api_key->value == "from file");
  CHECK(loaded.config->files ==
        std::vector<std::string>{folder.path("t.yaml"), folder.path("key")});
}
