#include <doctest/doctest.h>

#include "tests/unit/config/support.hpp"

using namespace tollgate::config;

namespace {

struct Case {
  std::string yaml;      // behind `minimal`, from line 4
  std::string expected;  // every problem
};

void run(const std::vector<Case>& cases) {
  for (const Case& one : cases) {
    INFO(one.yaml);
    CHECK(report(minimal + one.yaml) == one.expected);
  }
}

}  // namespace

TEST_CASE("unknown keys are named with their place and the likely spelling") {
  run({
      {"listn: {}\n", "t.yaml:4:1: unknown key \"listn\" (did you mean \"listen\"?)\n"},
      {"nothing_like_it: {}\n", "t.yaml:4:1: unknown key \"nothing_like_it\"\n"},
      {"listen: {timeouts: {headr: 1s}}\n",
       "t.yaml:4:21: unknown key \"headr\" (did you mean \"header\"?)\n"},
      {"models:\n  m:\n    targets:\n      - {provider: up, model: x, wieght: 2}\n",
       "t.yaml:7:34: unknown key \"wieght\" (did you mean \"weight\"?)\n"},
      {"models:\n  m:\n    targets: [{provider: up, model: x}]\n    defaults: {max_token: 5}\n",
       "t.yaml:7:16: unknown key \"max_token\" (did you mean \"max_tokens\"?)\n"},
      {"log: {level: info, Level: info}\n",
       "t.yaml:4:20: unknown key \"Level\" (did you mean \"level\"?)\n"},
  });
}

TEST_CASE("keys and values of the contract that are not there yet are never accepted silently") {
  run({
      {"guard: {}\n", "t.yaml:4:1: \"guard\" is not supported yet\n"},
      {"models: {m: {targets: [{provider: up, model: x}], strategy: cheapest, affinity: user}}\n",
       ""},
      {"log: {bodies: all}\n", "t.yaml:4:15: \"bodies\": \"all\" is not supported yet\n"},
  });
}

TEST_CASE("idempotency: on by default, bounded, or off") {
  CHECK(load(minimal).config->idempotency.on);
  CHECK_FALSE(load(minimal + "idempotency: off\n").config->idempotency.on);
  const auto set = load(minimal + "idempotency: {ttl: 1h, max_bytes: 8MiB}\n").config->idempotency;
  CHECK(set.on);
  CHECK(set.ttl == std::chrono::hours(1));
  CHECK(set.max_bytes.count == 8U << 20U);
  run({
      {"idempotency: of\n", "t.yaml:4:14: \"idempotency\" must be a mapping or off, got \"of\"\n"},
      {"idempotency: {tll: 1h}\n", "t.yaml:4:15: unknown key \"tll\" (did you mean \"ttl\"?)\n"},
      {"idempotency: {ttl: 0s}\n", "t.yaml:4:20: \"ttl\" must be at least 1000ms, got 0s\n"},
  });
}

TEST_CASE("duplicates, merge keys, tags and odd keys") {
  run({
      {"log: {level: info}\nlog: {level: warn}\n",
       "t.yaml:5:1: duplicate key \"log\" (first at line 4)\n"},
      {"log: {level: info, level: warn}\n",
       "t.yaml:4:20: duplicate key \"level\" (first at line 4)\n"},
      {"log:\n  <<: {level: warn}\n",
       "t.yaml:5:3: merge keys (<<) are not supported: write the entries out\n"},
      {"log: {level: !!str info}\n", "t.yaml:4:14: YAML tags (!...) are not supported\n"},
      {"[a]: b\n", "t.yaml:4:1: a key must be text\n"},
      {"~: b\n", "t.yaml:4:1: a key must be text\n"},
  });
}

TEST_CASE("wrong types say what was expected and what stands there") {
  run({
      {"listen: 5\n", "t.yaml:4:9: \"listen\" must be a mapping, got a single value\n"},
      {"listen: {workers: many}\n",
       "t.yaml:4:19: \"workers\" must be a whole number, got \"many\"\n"},
      {"listen: {workers: \"4\"}\n",
       "t.yaml:4:19: \"workers\" must be a whole number, got the text \"4\"\n"},
      {"listen: {workers: 012}\n",
       "t.yaml:4:19: \"workers\" must be a whole number, got the number \"012\" (leading zeros, "
       "signs "
       "and other bases are not read)\n"},
      {"listen: {workers: -1}\n",
       "t.yaml:4:19: \"workers\" must be a whole number, got the number \"-1\"\n"},
      {"listen: {workers: 2000}\n", "t.yaml:4:19: \"workers\" must be at most 1024, got 2000\n"},
      {"listen: {workers: 99999999999999999999}\n",
       "t.yaml:4:19: \"workers\" must be a whole number, got the number "
       "\"99999999999999999999\"\n"},
      {"listen: {limits: {connections: 0}}\n",
       "t.yaml:4:32: \"connections\" must be at least 1, got 0\n"},
      {"listen: {heartbeat: 5}\n",
       "t.yaml:4:21: \"heartbeat\" must be a duration such as 250ms, 30s, 10m, 24h or 30d, got the "
       "number \"5\"\n"},
      {"listen: {timeouts: {header: 0s}}\n",
       "t.yaml:4:29: \"header\" must be at least 1ms, got 0s\n"},
      {"listen: {limits: {body_bytes: 32MB}}\n",
       "t.yaml:4:31: \"body_bytes\" must be a size such as 64KiB or 32MiB, got \"32MB\"\n"},
      {"listen: {http: 8080}\n",
       "t.yaml:4:16: \"http\" must be an address such as 127.0.0.1:8080, [::1]:8080 or :8080, got "
       "the "
       "number \"8080\"\n"},
      {"listen: {cors: https://a.example}\n",
       "t.yaml:4:16: \"cors\" must be a list, got a single value\n"},
      {"log: {level: [info]}\n", "t.yaml:4:14: \"level\" must be text, got a list\n"},
      {"log: {level: inf}\n",
       "t.yaml:4:14: \"level\" must be trace, debug, info, warn, error or off, got \"inf\" (did "
       "you "
       "mean \"info\"?)\n"},
      {"log: {output: 5}\n",
       "t.yaml:4:15: \"output\" must be text, got the number \"5\" (quote it if it is text)\n"},
      {"log: {output: true}\n",
       "t.yaml:4:15: \"output\" must be text, got true (quote it if it is text)\n"},
      {"log:\n  level:\n", "t.yaml:5:3: \"level\" must be text, got nothing\n"},
      {"auth: non\n",
       "t.yaml:4:7: \"auth\" must be keys or none, got \"non\" (did you mean \"none\"?)\n"},
      {"models: {m: {targets: []}}\n", "t.yaml:4:23: \"targets\" must not be empty\n"},
      {"models: {m: {}}\n", "t.yaml:4:10: \"targets\" is required in \"m\"\n"},
      {"models: {m: }\n", "t.yaml:4:10: \"targets\" is required in \"m\"\n"},
      {"listen: {tls: {cert_file: a.pem}}\n", "t.yaml:4:10: \"key_file\" is required in \"tls\"\n"},
  });
}

TEST_CASE("every error comes at once, in the order of the file") {
  CHECK(report("version: 2\nguard: {}\nlisten: {workers: x}\n") ==
        "t.yaml:1:1: at least one tenant is required, or \"auth: none\"\n"
        "t.yaml:1:10: \"version\" must be 1, got 2\n"
        "t.yaml:2:1: \"guard\" is not supported yet\n"
        "t.yaml:3:19: \"workers\" must be a whole number, got \"x\"\n");
  CHECK(report("") ==
        "t.yaml:1:1: \"version\" is required\n"
        "t.yaml:1:1: at least one tenant is required, or \"auth: none\"\n");
}

TEST_CASE("syntax errors have a place") {
  CHECK(report("version: 1\nlog: {level: info\n") ==
        "t.yaml:3:1: YAML syntax: end of map flow not found\n");
  CHECK(report("version: 1\n\tlog: x\n").starts_with("t.yaml:2:1: YAML syntax: "));
  CHECK(report("providers: {a: {kind: openai, api_key: ${KEY}}}\n")
            .find("a ${NAME} must stand in quotes") != std::string::npos);
  CHECK(report("version: 1\nlog: *nope\n").starts_with("t.yaml:2:6: YAML syntax: "));
  CHECK(report("a: &a [*a]\n") == "t.yaml:1:8: an alias inside of what it names\n");
  CHECK(report("version: 1\n---\nversion: 1\n").find("t.yaml:3:1: a second YAML document") !=
        std::string::npos);
  CHECK(report("- a\n") == "t.yaml:1:1: the file must hold a mapping of sections\n");
  CHECK(report("a: \xff\n") == "t.yaml:1:4: not valid UTF-8\n");
  // yaml-cpp would end the file here and drop the tenants behind.
  CHECK(report("version: 1\n\x04tenants: {a: {}}\n") == "t.yaml:2:1: a control character\n");
}

namespace {

// Every key, none at its default.
const std::string whole_file = R"(
version: 1
listen:
  http: "[::1]:80"
  admin: localhost:0
  metrics: :9902
  workers: 3
  cors: ["https://a.example", "*"]
  limits: {header_bytes: 8KiB, body_bytes: 1048576, connections: 7, in_flight: 8}
  timeouts: {header: 1s, body_idle: 2m, write_idle: 3h, keep_alive: 4d, drain: 0s}
  heartbeat: 0
providers:
  up:
    kind: openai
    base_url: https://api.example/v1
    api_keys: [one, 2]
    allow_fields: [plugins]
    headers: {X-Org: 7}
    timeouts: {connect: 1ms, first_byte: 2ms, idle: 3ms}
    tls: {verify: false}
models:
  zeta:
    targets:
      - {provider: up, model: z1, weight: 3}
      - {provider: up, model: z2}
    strategy: weighted
    timeout: 1s
    hold_back: 0s
    on_disconnect: cancel
    defaults: {max_tokens: 5, stop: ["a\"b", null], temperature: 0.5, user: "7",
               metadata: {k: true}}
    unsupported_params: refuse
    retry: {attempts: 2, base: 0s, cap: 1m, budget: 0.05}
    max_attempts: 4
    hedge: {after: 800ms, max_share: 0.1}
    continue_streams: true
    fallback: [alpha/one]
    context_window_fallback: [alpha/long, alpha/longer]
  alpha/*: {targets: [{provider: up, model: "*"}]}
tenants:
  acme:
    keys:
      - {id: a, sha256: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA,
         expires: 2999-01-02, models: [zeta], lookup: hash}
    models: ["alpha/*", zeta]
    provider_keys: {up: sk}
    tags: {cost_center: 4711, on: yes}
log: {level: debug, format: text, output: stdout, access: off, bodies: off}
)";

}  // namespace

TEST_CASE("listeners and log of a whole file are read as they stand") {
  const Loaded loaded = load(whole_file);
  CHECK(texts(loaded) == std::vector<std::string>{});
  REQUIRE(loaded.config);
  const Config& c = *loaded.config;
  CHECK(c.listen.http == HostPort{"::1", 80});
  CHECK(c.listen.http.text() == "[::1]:80");
  CHECK(c.listen.metrics->text() == ":9902");
  CHECK(c.listen.limits.header_bytes.count == 8192);
  CHECK(c.listen.limits.body_bytes.count == 1048576);
  CHECK(c.listen.timeouts.keep_alive == std::chrono::hours(96));
  CHECK(c.listen.heartbeat.count() == 0);
  CHECK(c.listen.admin == HostPort{"localhost", 0});
  CHECK(c.log.access == "off");
}

TEST_CASE("providers, models and tenants of a whole file are read as they stand") {
  const Loaded loaded = load(whole_file);
  REQUIRE(loaded.config);
  const Config& c = *loaded.config;
  const ProviderConfig& up = c.providers.at("up");
  CHECK(up.api_keys == std::vector<Secret>{{"one"}, {"2"}});
  CHECK(up.headers.front().second.value == "7");
  CHECK_FALSE(up.tls.verify);
  REQUIRE(c.models.size() == 2);
  CHECK(c.models[0].first == "zeta");
  const ModelConfig& zeta = c.models[0].second;
  CHECK(zeta.strategy == Strategy::weighted);
  CHECK(zeta.targets[0].weight == 3);
  CHECK(zeta.unsupported_params == UnsupportedParams::refuse);
  CHECK(zeta.defaults ==
        std::vector<std::pair<std::string, std::string>>{{"max_tokens", "5"},
                                                         {"stop", R"(["a\"b",null])"},
                                                         {"temperature", "0.5"},
                                                         {"user", "\"7\""},
                                                         {"metadata", R"({"k":true})"}});
  const TenantConfig& acme = c.tenants.at("acme");
  CHECK(acme.keys[0].sha256 == std::string(64, 'a'));
  CHECK(acme.keys[0].by_hash);
  CHECK(acme.tags ==
        std::vector<std::pair<std::string, std::string>>{{"cost_center", "4711"}, {"on", "yes"}});
}

TEST_CASE("what the file leaves out has the documented default") {
  const Loaded loaded = load(minimal);
  REQUIRE(loaded.config);
  CHECK(loaded.config->listen.http.text() == "127.0.0.1:8080");
  REQUIRE(loaded.config->listen.admin);
  CHECK(loaded.config->listen.admin->text() == "127.0.0.1:9901");
  CHECK_FALSE(loaded.config->listen.metrics);
  CHECK(loaded.config->log.level == "info");
}

TEST_CASE("aliases are read, and what they repeat is wrong once") {
  const Loaded good =
      load(minimal + "models:\n  a: &m {targets: [{provider: up, model: x}]}\n  b: *m\n");
  REQUIRE(good.config);
  CHECK(good.config->models[1].second.targets[0].model == "x");
  CHECK(report(minimal +
               "models:\n  a: &m {targets: [{provider: up, model: x}], timeot: 1s}\n  b: *m\n") ==
        "t.yaml:5:47: unknown key \"timeot\" (did you mean \"timeout\"?)\n");
}
