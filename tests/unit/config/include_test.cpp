#include <doctest/doctest.h>

#include "tests/unit/config/support.hpp"
#include "tests/unit/config/temporary_folder.hpp"

using namespace tollgate::config;

namespace {

std::vector<std::string> problems(const TemporaryFolder& folder) {
  std::vector<std::string> out = texts(load_file(folder.path("main.yaml"), surroundings()));
  const std::string prefix = folder.path("");
  for (std::string& text : out) {
    for (std::size_t at = text.find(prefix); at != text.npos; at = text.find(prefix)) {
      text.erase(at, prefix.size());
    }
  }
  return out;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("includes are merged by name") {
  const TemporaryFolder folder;
  folder.write(
      "main.yaml",
      "version: 1\ninclude: [\"tenants/*.yaml\", log.yaml]\n"
      "providers: {up: {kind: openai}}\nmodels: {m: {targets: [{provider: up, model: x}]}}\n");
  folder.write("tenants/b.yaml", "tenants: {b: {models: [m]}}\n");
  folder.write("tenants/a.yaml", "version: 1\ntenants: {a: {}}\n");
  folder.write("tenants/ignored.txt", "nonsense");
  folder.write("log.yaml", "log: {output: gate.log}\n");
  const Loaded loaded = load_file(folder.path("main.yaml"), surroundings());
  CHECK(texts(loaded) == Texts{});
  REQUIRE(loaded.config);
  CHECK(loaded.config->tenants.size() == 2);
  // A path counts from the file that names it.
  CHECK(loaded.config->log.output ==
        folder.path("log.yaml").substr(0, folder.path("").size()) + "gate.log");
  CHECK(loaded.config->files == Texts{folder.path("main.yaml"), folder.path("tenants"),
                                      folder.path("tenants/a.yaml"), folder.path("tenants/b.yaml"),
                                      folder.path("log.yaml")});
}

TEST_CASE("a name that stands in two files is an error in the second") {
  const TemporaryFolder folder;
  folder.write("main.yaml",
               "version: 1\ninclude: [a.yaml, b.yaml]\ntenants: {x: {}}\nlog: {level: info}\n");
  folder.write("a.yaml", "tenants:\n  x: {}\n  y: {}\n");
  folder.write("b.yaml", "tenants: {y: {}}\nlog: {}\nversion: 2\n");
  CHECK(problems(folder) == Texts{"a.yaml:2:3: \"x\" is defined twice (first at main.yaml:3)",
                                  "b.yaml:1:11: \"y\" is defined twice (first at a.yaml:3)",
                                  "b.yaml:2:1: \"log\" is defined twice (first at main.yaml:4)",
                                  "b.yaml:3:10: \"version\" must be 1"});
}

TEST_CASE("mistakes in an included file are named there") {
  const TemporaryFolder folder;
  folder.write("main.yaml", "version: 1\ninclude: [a.yaml]\ntenants: {x: {}}\n");
  folder.write("a.yaml", "tenants:\n  y: {modles: []}\ngaurd: {}\n");
  CHECK(problems(folder) == Texts{"a.yaml:2:7: unknown key \"modles\" (did you mean \"models\"?)",
                                  "a.yaml:3:1: unknown key \"gaurd\""});
}

TEST_CASE("no match is an error unless the name is a pattern") {
  const TemporaryFolder folder;
  folder.write("main.yaml", "version: 1\ninclude: [none.yaml]\ntenants: {x: {}}\n");
  CHECK(problems(folder) ==
        Texts{"main.yaml:2:11: cannot read \"none.yaml\": No such file or directory"});
  folder.write("main.yaml", "version: 1\ninclude: [\"none*.yaml\"]\ntenants: {x: {}}\n");
  CHECK(problems(folder) == Texts{});
  folder.write("main.yaml", "version: 1\ninclude: none.yaml\ntenants: {x: {}}\n");
  CHECK(problems(folder) ==
        Texts{"main.yaml:2:10: \"include\" must be a list, got a single value"});
}

TEST_CASE("a broken file does not make its names look unknown") {
  const TemporaryFolder folder;
  folder.write(
      "main.yaml",
      "version: 1\ninclude: [a.yaml]\nmodels: {m: {targets: [{provider: p, model: x}]}}\n");
  folder.write("a.yaml", "providers: {p: {kind: openai}\ntenants: {x: {}}\n");
  const Texts found = problems(folder);
  REQUIRE(found.size() == 1);
  CHECK(found[0].starts_with("a.yaml:2:"));
}

TEST_CASE("circles end, and a pattern may match the file itself") {
  const TemporaryFolder folder;
  folder.write("main.yaml", "version: 1\ninclude: [\"*.yaml\"]\ntenants: {x: {}}\n");
  folder.write("a.yaml", "include: [main.yaml, a.yaml, sub/b.yaml]\ntenants: {a: {}}\n");
  folder.write("sub/b.yaml", "include: [../a.yaml]\ntenants: {b: {}}\n");
  const Loaded loaded = load_file(folder.path("main.yaml"), surroundings());
  CHECK(texts(loaded) == Texts{});
  REQUIRE(loaded.config);
  CHECK(loaded.config->tenants.size() == 3);
}

TEST_CASE("files that cannot be read") {
  CHECK(texts(load_file("/nowhere/t.yaml", surroundings())) ==
        Texts{"/nowhere/t.yaml: cannot read: No such file or directory"});
  CHECK(texts(load_file("/tmp", surroundings())) == Texts{"/tmp: cannot read: not a regular file"});
  CHECK(report("version: 1\ninclude: [a.yaml]\ntenants: {a: {}}\n") ==
        "t.yaml:2:1: \"include\" works only in a file\n");
}
