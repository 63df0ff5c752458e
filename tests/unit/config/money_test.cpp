#include <algorithm>
#include <doctest/doctest.h>
#include <filesystem>

#include "config/price_book.hpp"
#include "config/values.hpp"
#include "tests/unit/config/support.hpp"
#include "tests/unit/config/temporary_folder.hpp"

using namespace tollgate;
using namespace tollgate::config;

namespace {

const std::string head =
    "version: 1\n"
    "providers: {up: {kind: openai, base_url: \"http://127.0.0.1:1/v1\"}}\n"
    "models: {m: {targets: [{provider: up, model: x}]}, w/*: {targets: [{provider: up, model: "
    "\"*\"}]}}\n";

// The tenants' section stands in line 4, from its 11th column on.
std::string tenants(const std::string& inside) { return head + "tenants: {" + inside + "}\n"; }

TenantConfig loaded_tenant(const std::string& file, const std::string& name) {
  const Loaded loaded = load(file);
  REQUIRE(texts(loaded) == std::vector<std::string>{});
  return loaded.config->tenants.at(name);
}

std::string budgets_problem(const std::string& list) {
  const std::string text = report(tenants("a: {budgets: [" + list + "]}"));
  const std::size_t message = text.find(": ");
  return message == std::string::npos ? text : text.substr(message + 2);
}

constexpr std::string_view prices = "prices: [{provider: up, model: x, from: 2024-01-01, input: ";

}  // namespace

TEST_CASE("dollars are exact to the nano-dollar, never negative, never rounded") {
  CHECK(parse_usd("0") == NanoUsd{0});
  CHECK(parse_usd("100") == NanoUsd{100'000'000'000});
  CHECK(parse_usd("0.000000001") == NanoUsd{1});
  CHECK(parse_usd("0.1") == NanoUsd{100'000'000});
  for (const char* text : {"", "-1", "+1", "1.", ".5", "01", "1e3", "0.0000000001", "1,5", "$1",
                           "99999999999", "18446744073709551616"}) {
    CHECK_MESSAGE(!parse_usd(text), text);
  }
  CHECK(parse_share("1") == 1000U);
  CHECK(parse_share("0.85") == 850U);
  for (const char* text : {"0", "1.001", "0.0001", "-0.5", "80"})
    CHECK_MESSAGE(!parse_share(text), text);
}

TEST_CASE("M16: one budget for each window of a scope; since goes with total only") {
  CHECK(budgets_problem("{usd: 1, per: day}, {usd: 2, per: month}").empty());
  CHECK(budgets_problem("{usd: 1, per: day}, {usd: 2, per: day}") ==
        "two budgets of one scope have this \"per\"\n");
  CHECK(budgets_problem("{usd: 1, per: total, since: 2026-01-01}").empty());
  CHECK(budgets_problem("{usd: 1, per: total, since: 2026-01-01T00:00:00Z}").empty());
  CHECK(budgets_problem("{usd: 1, per: total, since: 2026-01-01T12:00:00Z}") ==
        "\"since\" is a day, UTC, without a time\n");
  // Midnight somewhere else.
  CHECK(budgets_problem("{usd: 1, per: total, since: 2026-01-01T00:00:00+01:00}") ==
        "\"since\" is a day, UTC, without a time\n");
  CHECK(budgets_problem("{usd: 1, per: day, since: 2026-01-01}") ==
        "\"since\" goes only with \"per: total\"\n");
  CHECK(budgets_problem("{usd: 0, per: day}") == "\"usd\" must be above 0\n");
  // What is wrong already is not a second mistake of another budget.
  CHECK(budgets_problem("{usd: 1}, {usd: 2, per: month}") ==
        "\"per\" is required in \"budgets\"\n");
  CHECK(budgets_problem("{usd: 1, per: mont}, {usd: 2, per: month}").find("two budgets") ==
        std::string::npos);
}

TEST_CASE("M16: every scope has budgets of its own, each is checked") {
  const std::string twice = "budgets: [{usd: 1, per: day}, {usd: 1, per: day}]";
  const std::string message = "two budgets of one scope have this \"per\"";
  const std::vector<std::string> files = {
      tenants("a: {keys: [{id: k, sha256: " + digest + ", " + twice + "}]}"),
      tenants("a: {}") + "tiers: {t: {" + twice + "}}\n",
      "version: 1\ntenants: {a: {}}\nproviders: {up: {kind: openai}}\n"
      "models: {m: {targets: [{provider: up, model: x}], " +
          twice + "}}\n"};
  for (const std::string& file : files) {
    INFO(file);
    CHECK(report(file).find(message) != std::string::npos);
  }
}

TEST_CASE("M18: warning steps ascend and none stands twice") {
  const TenantConfig tenant = loaded_tenant(
      tenants("a: {budgets: [{usd: 1, per: day, warn_at: [1, 0.5, 0.8, 0.5]}]}"), "a");
  CHECK(tenant.budgets[0].warn_at == std::vector<Share>{{500}, {800}, {1000}});
}

TEST_CASE("M18: a webhook is a http or https URL with a host; nothing secret in it is shown") {
  const auto webhook = [](const std::string& url) {
    return tenants("a: {budgets: [{usd: 1, per: day, webhook: \"" + url + "\"}]}");
  };
  for (const std::string url :
       {"ftp://h/x", "ops.example", "http://", "https:///x", "https://h/a b", "https://h?x=1",
        "https://h/#x", "https://u:sesame@h/x", "https://sesame@h"}) {
    const std::string text = report(webhook(url));
    INFO(url);
    CHECK(text.find("\"webhook\" ") != std::string::npos);
    CHECK(text.find("sesame") == std::string::npos);
  }
  const Loaded loaded = load(webhook("https://hooks.example/T1/sesame?sig=sesame"));
  REQUIRE(texts(loaded) == std::vector<std::string>{});
  CHECK(loaded.config->tenants.at("a").budgets[0].webhook ==
        "https://hooks.example/T1/sesame?sig=sesame");
  const std::string masked = masked_yaml(*loaded.config);
  CHECK(masked.find("sesame") == std::string::npos);
  CHECK(masked.find("hooks.example") != std::string::npos);
}

TEST_CASE("parents and tiers must exist, and parents end") {
  CHECK(report(tenants("acme: {}, b: {parent: acmee}")) ==
        "t.yaml:4:33: no tenant has the name \"acmee\" (did you mean \"acme\"?)\n");
  CHECK(report(tenants("a: {tier: standart}") + "tiers: {standard: {}}\n") ==
        "t.yaml:4:21: no tier has the name \"standart\" (did you mean \"standard\"?)\n");
  CHECK(report(tenants("a: {parent: b}, b: {parent: c}, c: {}")).empty());
  CHECK(report(tenants("a: {parent: a}")).find("circle") != std::string::npos);
  CHECK(report(tenants("a: {parent: b}, b: {parent: c}, c: {parent: a}")).find("circle") !=
        std::string::npos);
}

TEST_CASE("M10: a downgrade names a model, by a wildcard too") {
  const auto downgrade = [](const std::string& value) {
    return tenants("a: {on_budget_exceeded: " + value + "}");
  };
  CHECK(loaded_tenant(downgrade("{downgrade: m}"), "a").on_budget_exceeded.downgrade == "m");
  CHECK(report(downgrade("{downgrade: w/any}")).empty());
  CHECK(report(downgrade("deny")).empty());
  CHECK(report(downgrade("{downgrade: nope}")).find("no model has the name \"nope\"") !=
        std::string::npos);
  for (const char* wrong : {"downgrade", "{downgrad: m}", "{downgrade: \"\"}", "[m]", "{}"}) {
    CHECK_MESSAGE(!report(downgrade(wrong)).empty(), wrong);
  }
}

TEST_CASE("M17: a former name has one owner, and is nobody's present one") {
  const auto key = [](const std::string& id, char fill, const std::string& more) {
    return "{id: " + id + ", sha256: " + std::string(64, fill) + more + "}";
  };
  CHECK(report(tenants("a: {formerly: [old]}, b: {formerly: [older]}")).empty());
  CHECK(report(tenants("a: {formerly: [b]}, b: {}")).find("a tenant has the name \"b\" now") !=
        std::string::npos);
  CHECK(report(tenants("a: {formerly: [o]}, b: {formerly: [o]}"))
            .find("two tenants were formerly \"o\"") != std::string::npos);
  CHECK(report(tenants("a: {keys: [" + key("k", 'a', ", formerly: [j]") + ", " + key("j", 'b', "") +
                       "]}"))
            .find("a key has the id \"j\" now") != std::string::npos);
  // A key's balance belongs to (tenant, id): another tenant may have had a key of that id.
  CHECK(report(tenants("a: {keys: [" + key("k", 'a', ", formerly: [j]") + "]}, b: {keys: [" +
                       key("l", 'b', ", formerly: [j]") + "]}"))
            .empty());
}

TEST_CASE("a tenant's own entries win over its tier's, limits key by key, budgets by window") {
  const std::string tier =
      "tiers: {t: {limits: {requests_per_minute: 300, concurrent: 7, enforce: false}, per_user: "
      "{requests_per_minute: 5}, budgets: [{usd: 20, per: day}, {usd: 9, per: hour}], models: "
      "[m]}}\n";
  const TenantConfig own = loaded_tenant(
      tenants("a: {tier: t, limits: {requests_per_minute: 0, enforce: true}, budgets: [{usd: 1, "
              "per: day}], models: [\"w/*\"]}") +
          tier,
      "a");
  CHECK(own.limits->requests_per_minute == 0U);  // said, so the tier's 300 does not come back
  CHECK(own.limits->concurrent == 7U);
  CHECK(own.limits->enforce == true);
  CHECK(own.per_user->requests_per_minute == 5U);
  CHECK_FALSE(own.limits->tokens_per_minute);
  REQUIRE(own.budgets.size() == 2);
  CHECK(own.budgets[0].usd.nano == 1'000'000'000);
  CHECK(own.budgets[1].per == BudgetPer::hour);
  CHECK(*own.models == std::vector<std::string>{"w/*"});

  const TenantConfig bare = loaded_tenant(tenants("a: {tier: t}, b: {}") + tier, "a");
  CHECK(bare.limits->requests_per_minute == 300U);
  CHECK(bare.budgets.size() == 2);
  CHECK(*bare.models == std::vector<std::string>{"m"});
  CHECK_FALSE(loaded_tenant(tenants("a: {tier: t}, b: {}") + tier, "b").limits);
}

TEST_CASE("a tier's allowlist names models that exist") {
  const std::string text = report(tenants("a: {}") + "tiers: {t: {models: [m, w/x, nope]}}\n");
  CHECK(text == "t.yaml:5:30: no model has the name \"nope\"\n");
}

TEST_CASE("price files count from the file that names them, are watched, and must be files") {
  const TemporaryFolder folder;
  const auto at = [&](const std::string& name) { return folder.path(name); };
  folder.write("p/shared.yaml", std::string(prices) + "1, output: 2}]\n");
  folder.write("p/own.yaml", std::string(prices) + "0.5, output: 2}]\n");
  const std::string file =
      tenants("a: {prices: {files: [p/own.yaml]}}") + "prices: {files: [p/shared.yaml]}\n";
  folder.write("t.yaml", file);
  const Loaded loaded = load_file(at("t.yaml"), surroundings());
  REQUIRE(texts(loaded) == std::vector<std::string>{});
  const auto now = SystemTime(std::chrono::sys_days(std::chrono::year(2026) / 1 / 1));
  const PriceRow* shared = loaded.config->price_books->shared.find("up", "openai", "x", "", now);
  const PriceRow* own =
      loaded.config->price_books->tenants.at("a").find("up", "openai", "x", "", now);
  REQUIRE(shared != nullptr);
  REQUIRE(own != nullptr);
  CHECK(shared->rates.input == NanoUsd{1'000'000'000});
  CHECK(own->rates.input == NanoUsd{500'000'000});
  for (const std::string& watched : {at("p/shared.yaml"), at("p/own.yaml")})
    CHECK(std::ranges::count(loaded.files, watched) == 1);

  folder.write("p/own.yaml", std::string(prices) + "-1, output: 2}]\n");
  const Loaded broken = load_file(at("t.yaml"), surroundings());
  REQUIRE(broken.problems.size() == 1);
  CHECK(broken.problems[0].text().starts_with(at("p/own.yaml") + ":1:"));
  CHECK(std::ranges::count(broken.files, at("p/own.yaml")) == 1);  // mending it wakes the watch
}

TEST_CASE("a price file that is absent or no regular file is an error where it is named") {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder.path("folder"));
  for (const std::string& name :
       {std::string("none.yaml"), std::string("folder"), std::string("/dev/zero")}) {
    INFO(name);
    folder.write("t.yaml", tenants("a: {}") + "prices: {files: [\"" + name + "\"]}\n");
    const Loaded loaded = load_file(folder.path("t.yaml"), surroundings());
    REQUIRE(loaded.problems.size() == 1);
    CHECK(loaded.problems[0].text().find(":5:18: cannot read ") != std::string::npos);
  }
}

TEST_CASE("without price files the shipped book holds") {
  const Loaded loaded = load(tenants("a: {}"));
  REQUIRE(loaded.config);
  CHECK_FALSE(loaded.config->price_books->shared.rows().empty());
  CHECK(loaded.config->price_books->tenants.empty());
}

TEST_CASE("a changed ledger needs a restart, changed budgets and prices do not") {
  const Config before = *load(tenants("a: {}")).config;
  const Config money =
      *load(tenants("a: {budgets: [{usd: 1, per: day}]}") + "prices: {unknown: allow}\n").config;
  CHECK(restart_required(before, money).empty());
  const Config moved = *load(tenants("a: {}") + "ledger: {journal: {fsync: true}}\n").config;
  CHECK(restart_required(before, moved) == std::vector<std::string>{"ledger"});
}

TEST_CASE("limits, budgets and prices are shown as they stand and can be read again") {
  const std::string file =
      "version: 1\n"
      "providers: {up: {kind: openai, base_url: \"http://h/v1\", price: {input: 0.15, output: 0, "
      "image: 0.000000001}}}\n"
      "models: {m: {targets: [{provider: up, model: x}], on_disconnect: drain, limits: "
      "{tokens_per_minute: 1000000}}}\n"
      "tenants: {g: {}, a: {parent: g, formerly: [b], per_user: {requests_per_minute: 20}, "
      "budgets: [{usd: 2000.25, per: total, since: 2026-01-01, warn_at: [0.5, 1], reserve: "
      "estimate, enforce: false}], clip_min_tokens: 0, on_budget_exceeded: {downgrade: m}}}\n"
      "prices: {unknown: estimate}\n"
      "ledger: {sqlite: {path: /b/l.db}, journal: {dir: /j, fsync: true, max_bytes: 8MiB}}\n";
  const Loaded loaded = load(file);
  REQUIRE(texts(loaded) == std::vector<std::string>{});
  std::string shown = masked_yaml(*loaded.config);
  for (const char* line : {"usd: 2000.25\n", "image: 0.000000001\n", "on_disconnect: drain\n",
                           "since: 2026-01-01T00:00:00Z\n", "unknown: estimate\n",
                           "max_bytes: 8MiB\n", "downgrade: \"m\""}) {
    CHECK_MESSAGE(shown.find(line) != std::string::npos, line);
  }
  shown.replace(shown.find("include: []\n"), 12, "");
  const Loaded again = load(shown);
  INFO(shown);
  REQUIRE(texts(again) == std::vector<std::string>{});
  CHECK(masked_yaml(*again.config).find(shown.substr(shown.find("listen:"))) != std::string::npos);
}

namespace {

/// Where the store's problem stands and what it says; the store is line 5.
std::string store_problem(const std::string& redis, const std::string& further = {}) {
  return report(tenants("a: {}") + "store: {redis: {" + redis + "}}\n" + further);
}

}  // namespace

TEST_CASE("the store's place is checked where it stands, and its password never shown") {
  CHECK(store_problem("url: \"redis://u:sesame@h:6379/2\"").empty());
  CHECK(store_problem("url: \"rediss://[::1]\", tls: {verify: false}, mode: cluster, nodes: "
                      "[\"b:1\"]")
            .empty());
  for (const char* url : {"http://sesame@h", "redis://sesame@", "redis://sesame@h:0",
                          "redis://sesame@h:x", "redis://sesame@h/x", "redis://[::1", "h:6379"}) {
    const std::string text = store_problem("url: \"" + std::string(url) + "\"");
    CHECK_MESSAGE(text.starts_with("t.yaml:5:22: "), url, " ", text);
    CHECK(text.find("sesame") == std::string::npos);
  }
  CHECK(store_problem("mode: single") == "t.yaml:5:9: \"url\" is required in \"redis\"\n");
  const std::string url = "url: \"redis://h\", ";
  CHECK(store_problem(url + "mode: sentinel, nodes: [\"s:1\"]").find("needs \"master\"") !=
        std::string::npos);
  CHECK(store_problem(url + "mode: sentinel, master: m, nodes: [\"s:1\"]").empty());
  CHECK(store_problem(url + "master: m").find("goes with") != std::string::npos);
  CHECK(store_problem(url + "nodes: [\"n:1\"]").find("go with") != std::string::npos);
  CHECK(store_problem(url + "mode: cluster, nodes: [\"n:1\", \"n:z\"]").find("host:port") !=
        std::string::npos);
  CHECK(store_problem(url + "tls: {verify: false}").find("rediss://") != std::string::npos);
  CHECK(store_problem(url + "prefix: \"a{b}\"").find("prefix") != std::string::npos);
}

TEST_CASE("M23: budgets in Redis need a shared ledger, or a Redis that keeps its data") {
  const std::string redis = "store: {redis: {url: \"redis://h\"}}\n";
  const std::string kept = "store: {redis: {url: \"redis://h\", persistent: true}}\n";
  const std::string shared = "ledger: {postgres: {url: \"postgres://h/l\"}}\n";
  const std::string budget = tenants("a: {budgets: [{usd: 1, per: day}]}");
  CHECK(report(budget + redis).find("t.yaml:5:16: budgets in Redis need") == 0);
  CHECK(report(
            tenants("a: {keys: [{id: k, sha256: " + digest + ", budgets: [{usd: 1, per: day}]}]}") +
            redis)
            .find("budgets in Redis need") != std::string::npos);
  CHECK(report(budget + kept).empty());
  CHECK(report(budget + redis + shared).empty());
  CHECK(report(tenants("a: {budgets: [{usd: 1, per: day, enforce: false}]}") + redis).empty());
}

TEST_CASE("a changed store needs a restart") {
  const std::string at = "store: {redis: {url: \"redis://h\"}, lease: ";
  const Config before = *load(tenants("a: {}") + at + "60s}\n").config;
  const Config after = *load(tenants("a: {}") + at + "61s}\n").config;
  CHECK(restart_required(before, before).empty());
  CHECK(restart_required(before, after) == std::vector<std::string>{"store"});
}
