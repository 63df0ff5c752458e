#include <doctest/doctest.h>

#include "tests/unit/config/support.hpp"

using namespace tollgate::config;

namespace {

struct Case {
  std::string yaml;
  std::string expected;
};

void run(const std::vector<Case>& cases) {
  for (const Case& one : cases) {
    INFO(one.yaml);
    CHECK(report(minimal + one.yaml) == one.expected);
  }
}

// A file whose one provider has these members.
std::string provider(const std::string& members) {
  return "version: 1\ntenants: {acme: {}}\nproviders:\n  p: {" + members + "}\n";
}
std::string tenant(const std::string& members) {
  return "version: 1\nproviders: {up: {kind: openai}}\n"
         "models: {m: {targets: [{provider: up, model: x}]}, w/*: {targets: [{provider: up, model: "
         "\"*\"}]}}\n"
         "tenants:\n  acme: {" +
         members + "}\n";
}

}  // namespace

TEST_CASE("names that do not exist") {
  run({
      {"models: {m: {targets: [{provider: upp, model: x}]}}\n",
       "t.yaml:4:35: no provider has the name \"upp\" (did you mean \"up\"?)\n"},
      {"models: {m: {targets: [{provider: far, model: x}]}}\n",
       "t.yaml:4:35: no provider has the name \"far\"\n"},
  });
  CHECK(report(tenant("models: [mm]")) ==
        "t.yaml:5:19: no model has the name \"mm\" (did you mean \"m\"?)\n");
  CHECK(report(tenant("models: [m, w/any, \"zz*\"]")).empty());
  CHECK(report(tenant("provider_keys: {upp: k}")) ==
        "t.yaml:5:26: no provider has the name \"upp\" (did you mean \"up\"?)\n");
  CHECK(report(tenant("keys: [{id: a, sha256: " + digest + ", models: [none]}]")) ==
        "t.yaml:5:108: no model has the name \"none\"\n");
}

TEST_CASE("fallbacks are other models of the file") {
  const std::string many =
      "models:\n  a: {targets: [{provider: up, model: x}], ZZ}\n"
      "  beta: {targets: [{provider: up, model: x}], fallback: [a]}\n"
      "  w/*: {targets: [{provider: up, model: \"*\"}]}\n";
  for (const std::string key : {"fallback", "context_window_fallback"}) {
    const auto with = [&](const std::string& names) {
      std::string yaml = minimal + many;
      return yaml.replace(yaml.find("ZZ"), 2, key + ": [" + names + "]");
    };
    const std::string at = "t.yaml:5:" + std::to_string(47 + key.size());
    CHECK(report(with("beta, w/any")).empty());
    CHECK(report(with("btea")) ==
          at + ": no model has the name \"btea\" (did you mean \"beta\"?)\n");
    CHECK(report(with("a")) == at + ": a model cannot stand by for itself\n");
    CHECK(report(with("\"w/*\"")) == at + ": a fallback names one model, not a wildcard\n");
    CHECK(report(with("beta, beta")).ends_with(": named twice: \"beta\"\n"));
  }
}

TEST_CASE("wildcards stand only at the end, and \"*\" only under one") {
  run({
      {"models: {a*b: {targets: [{provider: up, model: x}]}}\n",
       "t.yaml:4:10: a \"*\" may stand only at the end of a name\n"},
      {"models: {a: {targets: [{provider: up, model: \"*\"}]}}\n",
       "t.yaml:4:46: \"*\" needs a model whose own name ends in \"*\"\n"},
      {"models: {a*: {targets: [{provider: up, model: \"b*\"}]}}\n",
       "t.yaml:4:47: a target's \"*\" must stand alone: it is the rest of the name\n"},
      {"models: {a*: {targets: [{provider: up, model: x}]}}\n", ""},
      {"models: {a: {targets: [{provider: up, model: x, weight: 0}]}}\n",
       "t.yaml:4:57: \"weight\" must be at least 1, got 0\n"},
  });
  CHECK(report(tenant("models: [\"*m\"]")) ==
        "t.yaml:5:19: a \"*\" may stand only at the end of a name\n");
}

TEST_CASE("defaults hold request fields only") {
  run({
      {"models: {m: {targets: [{provider: up, model: x}], defaults: {model: y}}}\n",
       "t.yaml:4:62: \"model\" is the client's own and has no default\n"},
      {"models: {m: {targets: [{provider: up, model: x}], defaults: {temperature: .5}}}\n",
       "t.yaml:4:75: a number must be written as in JSON, got \".5\"\n"},
  });
  const std::string file =
      "version: 1\ntenants: {a: {}}\nproviders: {up: {kind: openai, allow_fields: [own]}}\n"
      "models: {m: {targets: [{provider: up, model: x}], defaults: {own: 1}}}\n";
  CHECK(report(file).empty());
}

TEST_CASE("probes and limits of providers") {
  CHECK(report(provider("kind: openai, probe: 30s")).empty());
  CHECK(report(provider("kind: openai, probe: off, limits: {concurrent: 4, adaptive: true}"))
            .empty());
  CHECK(report(provider("kind: openai, probe: 10ms")) ==
        "t.yaml:4:28: \"probe\" must be at least 1000ms, got 10ms\n");
  CHECK(report(provider("kind: openai, limits: {concurent: 4}")) ==
        "t.yaml:4:30: unknown key \"concurent\" (did you mean \"concurrent\"?)\n");
}

TEST_CASE("breakers") {
  const auto model = [](const std::string& breaker) {
    return "models: {m: {targets: [{provider: up, model: x}], breaker: {" + breaker + "}}}\n";
  };
  run({
      {model("failures: 3, open_for: 1s, error_rate: 0.25, window: 1m, slow_start: 0"), ""},
      {model("failurs: 3"), "t.yaml:4:61: unknown key \"failurs\" (did you mean \"failures\"?)\n"},
      {model("failures: 0"), "t.yaml:4:71: \"failures\" must be at least 1, got 0\n"},
      {model("open_for: 10m"), "t.yaml:4:71: open_for (10m) is longer than max_open_for (5m)\n"},
      {model("open_for: 10s, max_open_for: 5s"),
       "t.yaml:4:90: open_for (10s) is longer than max_open_for (5s)\n"},
  });
}

TEST_CASE("queues and weights") {
  const auto model = [](const std::string& queue) {
    return "models: {m: {targets: [{provider: up, model: x}], " + queue + "}}\n";
  };
  run({
      {model("queue: {wait: 5s, max: 7}"), ""},
      {model("queue: {}"), ""},
      {model("queue: {wiat: 5s}"), "t.yaml:4:59: unknown key \"wiat\" (did you mean \"wait\"?)\n"},
      {model("queue: {max: 0}"), "t.yaml:4:64: \"max\" must be at least 1, got 0\n"},
      {model("timeout: 1s, queue: {wait: 5s}"),
       "t.yaml:4:78: wait (5s) is longer than the model's timeout (1s)\n"},
      {model("timeout: 1s, queue: {}"),
       "t.yaml:4:71: wait (2s) is longer than the model's timeout (1s)\n"},
  });
  const std::string key = "keys: [{id: k, sha256: " + std::string(64, 'a') + "}]";
  CHECK(report(tenant(key + ", weight: 3")).empty());
  CHECK(report(tenant("weight: 3")) ==
        "t.yaml:5:18: a tenant without keys makes no calls that could wait\n");
}

TEST_CASE("providers") {
  CHECK(report(provider("kind: opnai")) ==
        "t.yaml:4:13: unknown kind \"opnai\" (did you mean \"openai\"?)\n");
  CHECK(report(provider("kind: bedrock")) == "t.yaml:4:13: \"bedrock\" is not supported yet\n");
  CHECK(report(provider("base_url: \"http://h\"")) ==
        "t.yaml:4:3: \"kind\" is required in \"p\"\n");
  CHECK(report(provider("kind: openai, api_key: a, api_keys: [b]")) ==
        "t.yaml:4:43: \"api_key\" and \"api_keys\" stand here both: one is enough\n");
  CHECK(report(provider("kind: openai, headers: {Host: x}")) ==
        "t.yaml:4:31: the header \"Host\" is set by the gateway\n");
  CHECK(report(provider("kind: openai, headers: {\"a b\": x}")) ==
        "t.yaml:4:31: \"a b\" is no header name\n");
  CHECK(report(provider("kind: openai, headers: {A: x, a: y}")) ==
        "t.yaml:4:37: the header \"a\" stands here twice\n");
  CHECK(report(provider("kind: openai, headers: {A: \"x\\r\\nB: y\"}")) ==
        "t.yaml:4:34: \"A\" must not contain line breaks or control characters\n");
}

TEST_CASE("base_url is http or https with a host, and no message shows what stands in it") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"ftp://h", "must begin with http:// or https://"},
      {"api.example/v1", "must begin with http:// or https://"},
      {"https://", "has no host"},
      {"https:///v1", "has no host"},
      {"https://:80", "has no host"},
      {"https://user:sesame@h/v1", "must not hold a user or password"},
      {"https://h/v1?key=sesame", "must have no query and no fragment"},
      {"https://h/v1#sesame", "must have no query and no fragment"},
      {"https://h:99999", "has no valid host and port"},
      {"https://h:0", "has no valid host and port"},
      {"https://999.1.1.1", "has no valid host and port"},
      {"https://a b", "holds a character that no URL has"},
  };
  for (const auto& [url, wrong] : cases) {
    CHECK(report(provider("kind: openai, base_url: \"" + url + "\"")) ==
          "t.yaml:4:31: \"base_url\" " + wrong + "\n");
  }
  for (const char* url :
       {"http://h", "https://h:8443/a/b/", "http://[::1]:80/v1", "http://127.0.0.1"}) {
    CHECK(report(provider(std::string("kind: openai, base_url: \"") + url + "\"")).empty());
  }
  Surroundings around = surroundings();
  around.kinds_without_base_url = {"openai"};
  const Loaded loaded = load_text(provider("kind: openai"), "t.yaml", around);
  CHECK(texts(loaded) == std::vector<std::string>{
                             "t.yaml:4:3: \"base_url\" is required for kind \"openai\" in \"p\""});
}

TEST_CASE("a key that expands to nothing switches its provider off") {
  const std::string file =
      "version: 1\ntenants: {a: {}}\n"
      "providers:\n  p: {kind: anthropic, api_key: \"${K:-}\"}\n"
      "  q: {kind: anthropic, api_keys: [\"${K:-}\", \"${L:-}\"]}\n"
      "models: {m: {targets: [{provider: p, model: x}]}}\n";
  const Loaded off = load(file);
  REQUIRE(off.config);
  CHECK(off.config->providers.at("p").disabled);
  CHECK(off.config->providers.at("q").disabled);
  CHECK_FALSE(off.config->providers.at("p").api_key);
  CHECK(off.notes ==
        std::vector<std::string>{"provider \"p\" is disabled: its key expands to nothing",
                                 "provider \"q\" is disabled: its key expands to nothing",
                                 "not offered, their providers being disabled: \"m\"",
                                 "no tenant has a key: every call will be refused"});
  const Loaded on = load(file, {{"K", "sk-1"}});
  REQUIRE(on.config);
  CHECK_FALSE(on.config->providers.at("p").disabled);
  CHECK(on.config->providers.at("p").api_key->value == "sk-1");
  CHECK(on.config->providers.at("q").api_keys.size() == 1);
}

TEST_CASE("keys") {
  CHECK(
      report(tenant("keys: [{id: -a, sha256: " + digest + "}]")) ==
      "t.yaml:5:22: \"id\" must begin with a letter or digit and hold at most 64 letters, digits, "
      "\".\", \"_\" and \"-\", got \"-a\"\n");
  // The secret pasted where its hash belongs is not shown.
  CHECK(report(tenant("keys: [{id: a, sha256: tg-a-sesame}]")) ==
        "t.yaml:5:33: \"sha256\" must be the 64 hex digits that `tollgate key new` prints\n");
  CHECK(report(tenant("keys: [{id: a}]")) == "t.yaml:5:17: \"sha256\" is required in \"keys\"\n");
  CHECK(report(tenant("keys: [{id: a, sha256: " + digest + ", expires: 2027-13-01}]"))
            .find("must be a date such as 2027-01-01") != std::string::npos);
  const std::string twice = tenant("keys: [{id: a, sha256: " + digest + "}]") +
                            "  globex: {keys: [{id: a, sha256: " + std::string(64, 'b') + "}]}\n";
  CHECK(report(twice) == "t.yaml:6:24: the key id \"a\" stands here twice (first at t.yaml:5)\n");
  const std::string same = tenant("keys: [{id: a, sha256: " + digest + "}]") +
                           "  globex: {keys: [{id: b, sha256: " + std::string(64, 'A') + "}]}\n";
  CHECK(report(same) == "t.yaml:6:35: two keys have this \"sha256\" (first at t.yaml:5)\n");
  const Loaded expired =
      load(tenant("keys: [{id: a, sha256: " + digest + ", expires: 2001-01-01}]"));
  REQUIRE(expired.config);
  CHECK(expired.notes.back() == "key \"a\" of tenant \"acme\" has expired (2001-01-01T00:00:00Z)");
  // A clock of nanoseconds ends in 2262.
  const std::vector<std::pair<std::string, std::string>> far = {
      {"0001-01-01", "1970-01-01T00:00:00Z"}, {"9999-12-31", "2262-01-01T00:00:00Z"}};
  for (const auto& [date, held] : far) {
    const Loaded loaded =
        load(tenant("keys: [{id: a, sha256: " + digest + ", expires: " + date + "}]"));
    REQUIRE(loaded.config);
    CHECK(masked_yaml(*loaded.config).find("expires: " + held) != std::string::npos);
  }
  CHECK(report(tenant("provider_keys: {up: \"${K:-}\"}")) ==
        "t.yaml:5:30: the tenant's key for \"up\" expands to nothing: its calls would go out under "
        "ours\n");
}

TEST_CASE("what listens beyond loopback") {
  run({
      {"listen: {admin: \"0.0.0.0:9901\"}\n",
       "t.yaml:4:17: \"admin\" listens beyond loopback: \"admin_token\" is required\n"},
      {"listen: {admin: \"0.0.0.0:9901\", admin_token: t}\n", ""},
      {"listen: {admin: \"127.0.0.1:8080\"}\n",
       "t.yaml:4:17: \"admin\" must not listen where the API does (127.0.0.1:8080)\n"},
      {"listen: {http: \":9901\"}\n",
       "t.yaml:4:16: \"admin\" must not listen where the API does (:9901)\n"},
      {"listen: {metrics: \":8080\"}\n", "t.yaml:4:19: \"metrics\" needs an address of its own\n"},
      {"listen: {cors: [\"a.example\"]}\n",
       "t.yaml:4:17: an origin is \"*\" or a scheme and host such as https://app.example\n"},
      {"listen: {http: \":80\"}\nauth: none\n",
       "t.yaml:5:7: \"auth: none\" is allowed on loopback only, and the API listens on :80\n"},
      {"auth: none\n", ""},
  });
  CHECK(report("version: 1\nauth: none\n").empty());
  CHECK(report("version: 1\nauth: none\ntenants: {a: {}, b: {}}\n") ==
        "t.yaml:2:7: \"auth: none\" allows at most one tenant, got 2\n");
  CHECK(report("version: 1\ntenants: {}\n") ==
        "t.yaml:2:1: at least one tenant is required, or \"auth: none\"\n");
}

TEST_CASE("the demo key is refused beyond loopback, in the file and after --listen") {
  const std::string key = "keys: [{id: demo, sha256: " + sha256_hex(published_demo_key()) + "}]";
  Loaded loaded = load(tenant(key));
  REQUIRE(loaded.config);
  CHECK(loaded.config->published_demo_key);
  CHECK(exposure_problems(*loaded.config).empty());
  loaded.config->listen.http = {"0.0.0.0", 8080};
  CHECK(exposure_problems(*loaded.config).size() == 1);
  CHECK(report(tenant(key) + "listen: {http: \"0.0.0.0:1\"}\n") ==
        "t.yaml:5:36: the published demo key is refused beyond loopback, and the API listens on "
        "0.0.0.0:1: make a key with `tollgate key new`\n");
}

TEST_CASE("a ledger has one database; PostgreSQL's URL is a secret and must be there") {
  const std::string head(minimal);
  CHECK(load(head + "ledger: {postgres: {url: \"postgres://a:pencil@db/books\"}}\n").config);
  CHECK(report(head + "ledger: {sqlite: {path: a}, postgres: {url: b}}\n")
            .find("the ledger is in \"sqlite\" or in \"postgres\"") != std::string::npos);
  CHECK(report(head + "ledger: {postgres: {}}\n").find("\"url\"") != std::string::npos);
  for (const char* url : {"postgresql://db/books", "host=db dbname=books"})
    CHECK(load(head + "ledger: {postgres: {url: \"" + url + "\"}}\n").config);
  for (const char* url : {"mysql://a:pencil@db/books", "mysql://db?a=b", "books", ""})
    CHECK(report("ledger: {postgres: {url: \"" + std::string(url) + "\"}}\n" + head) ==
          "t.yaml:1:26: the URL of PostgreSQL begins with postgres:// or postgresql://\n");
}

TEST_CASE("a change of listeners needs a restart") {
  const Config before = *load(minimal).config;
  Config after = before;
  CHECK(restart_required(before, after).empty());
  after.listen.http.port = 1;
  after.listen.workers = 9;
  after.listen.heartbeat = Duration(1);
  CHECK(restart_required(before, after) ==
        std::vector<std::string>{"listen.http", "listen.workers"});
}
