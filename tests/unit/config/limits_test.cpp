#include <doctest/doctest.h>

#include "config/node.hpp"
#include "tests/unit/config/support.hpp"
#include "tests/unit/config/temporary_folder.hpp"

using namespace tollgate::config;

TEST_CASE("nesting is bounded") {
  const std::string deep = "a: " + std::string(100, '[') + std::string(100, ']') + "\n";
  CHECK(report(deep) == "t.yaml:1:67: nested deeper than 64 levels\n");
  for (const char open : {'[', '{'}) {
    CHECK(report("a: " + std::string(100000, open)).find("nested deeper than 64 levels") !=
          std::string::npos);
  }
}

TEST_CASE("aliases cannot multiply without end") {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string below = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + below;
    for (int n = 0; n < 9; ++n)
      bomb += ", " + below;
    bomb += "]\n";
  }
  const std::string problems = report(bomb);
  CHECK(problems.find("the configuration is too large") != std::string::npos);
}

TEST_CASE("long texts cannot be multiplied either") {
  std::string bomb = "a: &a \"" + std::string(100000, 'x') + "\"\nb: [*a";
  for (int i = 0; i < 5000; ++i)
    bomb += ", *a";
  CHECK(report(bomb + "]\n").find("the configuration is too large") != std::string::npos);
}

TEST_CASE("a file of many mistakes has a bounded report") {
  std::string text = "version: 1\ntenants: {a: {}}\n";
  for (int i = 0; i < 5000; ++i)
    text += "k" + std::to_string(i) + ": x\n";
  const Loaded loaded = load(text);
  CHECK(loaded.problems.size() == 1001);
  CHECK(loaded.problems.back().message == "more errors than are worth listing");
}

TEST_CASE("a file that is too large is refused before it is parsed") {
  const TemporaryFolder folder;
  folder.write("t.yaml", std::string(file_bytes_max + 1, '#'));
  CHECK(texts(load_file(folder.path("t.yaml"), surroundings())).front() ==
        folder.path("t.yaml") + ": cannot read: larger than 8 MiB");
}

TEST_CASE("odd bytes end in a problem, never in a crash") {
  const std::string good =
      "version: 1\nlisten: {http: \":0\", cors: [a, &x b, *x]}\nproviders:\n  \"p\": {kind: "
      "openai}\n"
      "models:\n  ? m\n  : targets:\n    - provider: p\n      model: |\n        x\ntenants: {t: "
      "{keys: "
      "[{id: a, sha256: '0'}]}}\n# end\n";
  // Cut everywhere, and with every byte replaced by characters that YAML gives a meaning.
  for (std::size_t cut = 0; cut <= good.size(); ++cut) {
    const Loaded loaded = load(good.substr(0, cut));
    CHECK(loaded.config.has_value() == loaded.problems.empty());
  }
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const char c : std::string_view("\0\t\n !\"#%&'*,-:>?@[]`{|}~$\x80", 27)) {
      std::string text = good;
      text[at] = c;
      const Loaded loaded = load(text);
      CHECK(loaded.config.has_value() == loaded.problems.empty());
    }
  }
}
