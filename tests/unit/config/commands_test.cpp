#include "gateway/app/commands.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <sstream>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include "gateway/app/explain_state.hpp"
#include "gateway/app/healthcheck.hpp"
#include "tests/unit/config/support.hpp"
#include "tests/unit/config/temporary_folder.hpp"

using namespace tollgate;

namespace {

struct Ran {
  int code = -1;
  std::string out, err;
  app::ServeOptions served;
};

Ran run(std::vector<std::string> arguments) {
  Ran ran;
  std::ostringstream out, err;
  app::CommandContext context{out, err, config::surroundings(),
                              [&ran](const app::ServeOptions& options) {
                                ran.served = options;
                                return 42;
                              }};
  ran.code = app::run_command(std::move(arguments), context);
  ran.out = out.str();
  ran.err = err.str();
  return ran;
}

// Answers one connection with `answer`, on a port of its own.
class OneAnswer {
 public:
  explicit OneAnswer(std::string answer) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(socket_, generic, size) == 0);
    REQUIRE(::listen(socket_, 1) == 0);
    ::getsockname(socket_, generic, &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, text = std::move(answer)] {
      const int client = ::accept(socket_, nullptr, nullptr);
      char buffer[1024];
      const ssize_t got = ::recv(client, buffer, sizeof buffer, 0);
      if (got > 0) request_.assign(buffer, static_cast<std::size_t>(got));
      ::send(client, text.data(), text.size(), MSG_NOSIGNAL);
      ::close(client);
    });
  }
  OneAnswer(const OneAnswer&) = delete;
  OneAnswer& operator=(const OneAnswer&) = delete;
  ~OneAnswer() {
    if (thread_.joinable()) thread_.join();
    ::close(socket_);
  }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  std::string request() {
    thread_.join();
    return request_;
  }

 private:
  int socket_;
  std::uint16_t port_ = 0;
  std::string request_;
  std::thread thread_;
};

}  // namespace

TEST_CASE("serve hands its options on") {
  const Ran ran = run({"serve", "--config", "a.yaml", "--listen", "0.0.0.0:81"});
  CHECK(ran.code == 42);
  CHECK(*ran.served.config == "a.yaml");
  CHECK(ran.served.listen->text() == "0.0.0.0:81");
  const Ran bare = run({"serve"});
  CHECK(bare.code == 42);
  CHECK_FALSE(bare.served.config);
  CHECK(run({"serve", "--listen", "81"}).code == 2);
}

TEST_CASE("check prints every error to stderr, or ok and notes") {
  const config::TemporaryFolder folder;
  folder.write("bad.yaml", "version: 1\nguard: {}\nlistn: {}\ntenants: {a: {}}\n");
  folder.write("good.yaml", "version: 1\ntenants: {a: {}}\n");
  const std::string bad = folder.path("bad.yaml"), good = folder.path("good.yaml");
  for (const auto& arguments : {std::vector<std::string>{"check", bad},
                                std::vector<std::string>{"check", "--config", bad}}) {
    const Ran ran = run(arguments);
    CHECK(ran.code == 1);
    CHECK(ran.out.empty());
    CHECK(ran.err == bad + ":2:1: \"guard\" is not supported yet\n" + bad +
                         ":3:1: unknown key \"listn\" (did you mean \"listen\"?)\n");
  }
  const Ran ran = run({"check", good});
  CHECK(ran.code == 0);
  CHECK(ran.out == good +
                       ": ok\nnote: no models: every call will be 404\n"
                       "note: no tenant has a key: every call will be refused\n");
  CHECK(run({"check"}).code == 2);
  CHECK(run({"check", good, "--config", good}).code == 2);
}

TEST_CASE("key new prints a secret and its line") {
  const Ran ran = run({"key", "new", "--tenant", "acme", "--id", "acme-prod"});
  CHECK(ran.code == 0);
  const std::size_t line = ran.out.find('\n');
  REQUIRE(ran.out.starts_with("secret: tg-acme-prod-"));
  const std::string secret = ran.out.substr(8, line - 8);
  CHECK(ran.out.substr(line + 1) ==
        "- {id: acme-prod, sha256: \"" + config::sha256_hex(secret) + "\"}\n");
  CHECK(run({"key", "new"}).code == 2);
  CHECK(run({"key", "new", "--tenant", "a", "--id", "a b"}).code == 2);
  CHECK(run({"key"}).code == 2);
}

TEST_CASE("explain shows where a model goes") {
  const config::TemporaryFolder folder;
  folder.write("t.yaml",
               "version: 1\n"
               "listen: {admin: \"127.0.0.1:1\"}\n"
               "providers:\n"
               "  up: {kind: openai, base_url: \"http://h/v1\", price: {input: 0.15, output: 2},"
               " limits: {requests_per_minute: 5, concurrent: 2}}\n"
               "  off: {kind: openai, api_key: \"\"}\n"
               "prices: {files: [book.yaml]}\n"
               "models:\n"
               "  one: {limits: {tokens_per_minute: 70}, hedge: {after: p95}, targets: [{provider: "
               "up, model: x, weight: 3}, {provider: off, model: y}],"
               " strategy: weighted, queue: {max: 5}, defaults: {max_tokens: 9}, fallback: [two],"
               " context_window_fallback: [w/long]}\n"
               "  two: {targets: [{provider: up, model: x}]}\n"
               "  w/*: {targets: [{provider: up, model: \"*\"}]}\n"
               "tenants:\n"
               "  o: {budgets: [{usd: 2.5, per: day, reserve: estimate}]}\n"
               "  t: {models: [one, w/long], parent: o, limits: {requests_per_minute: 9, burst: 5s,"
               " enforce: false}, per_user: {concurrent: 1}}\n");
  folder.write("book.yaml",
               "prices:\n"
               "  - {provider: off, model: y, from: 2024-01-01, input: 1, output: 3, request: 0.01,"
               " tiers: [{above: 1000, input: 2}], context_window: 9000, max_output: 400}\n"
               "  - {provider: off, model: y, from: 2099-01-01, input: 7}\n");
  const std::string file = folder.path("t.yaml");
  const Ran one = run({"explain", "--config", file, "--model", "one", "--tenant", "t"});
  CHECK(one.code == 0);
  CHECK(one.out ==
        "model      one\n"
        "tenant     t: may use it\n"
        "strategy   weighted\n"
        "timeout    10m for the whole call; 200 is held back up to 15s\n"
        "attempts   3 over its targets, 6 for a call\n"
        "breaker    opens after 5 failures in a row, or when 0.5 of at least 20 calls within 10s "
        "fail; for 30s, then twice as long up to 5m; slow start 10s\n"
        "queue      while every target is at its limit up to 5 calls wait, each up to 2s\n"
        "hedge      asks a second target after p95, for 0.05 of its calls at most\n"
        "fallback   two (skipped: this tenant may not use it)\n"
        "too long   w/long\n"
        "default    max_tokens: 9\n"
        "targets    2\n"
        "  1. up (kind openai), model x, http://h/v1, weight 3 (100.0 % of calls)\n"
        "     timeouts: connect 3s, first byte 5m, idle 2m\n"
        "     price: input 0.15, output 2 USD a million tokens (providers.up.price@719d3e)\n"
        "     limits: 5 requests a minute, 2 at a time\n"
        "  2. off (kind openai), model y, https://api.openai.com/v1, skipped: the provider is "
        "disabled, its key being empty\n"
        "     timeouts: connect 3s, first byte 5m, idle 2m\n"
        "     price: input 1, output 3 USD a million tokens "
        "(book.yaml@fcd6f5:off/y@2024-01-01)\n"
        "     price above 1000 prompt tokens: input 2\n"
        "     price besides: 0.01 a request (USD)\n"
        "     takes: a context of 9000 tokens, at most 400 tokens of output\n"
        "limits     model one: 70 tokens a minute\n"
        "limits     tenant t: 9 requests a minute, in bursts of 5s (counts and warns only)\n"
        "limits     each user of t: 1 at a time\n"
        "limits     tenant o: 2.5 USD per day, soft: reserves an estimate\n"
        "now        no gateway of this file answers: 127.0.0.1:1: Connection refused\n");
  const Ran wild = run({"explain", "--config", file, "--model", "w/a/b", "--tenant", "t"});
  CHECK(wild.code == 0);
  CHECK(wild.out.find("w/a/b (matched by \"w/*\")") != std::string::npos);
  CHECK(wild.out.find("t: may not use it") != std::string::npos);
  CHECK(wild.out.find("model a/b, http://h/v1") != std::string::npos);
  const Ran nobody = run({"explain", "--config", file, "--model", "w/a/b"});
  CHECK(nobody.out.find("\nlimits     none\n") != std::string::npos);
}

TEST_CASE("explain says how a target fares where a gateway runs") {
  const std::string targets =
      R"({"targets":[{"model":"m","provider":"p","target":"x","breaker":"closed",)"
      R"("latency_ms":0.58,"in_flight":3,"cooldown_ms":0,"concurrent":4,"waiting":2,)"
      R"("last_error":null},)"
      R"({"model":"m","provider":"q","target":"x","breaker":"open","reason":"auth",)"
      R"("retry_in_ms":1500,"latency_ms":0,"in_flight":0,"cooldown_ms":2000,)"
      R"("last_error":{"code":"upstream_auth","ms_ago":250}}]})";
  CHECK(app::state_lines(targets, "m", "p", "x") ==
        std::vector<std::string>{
            "now: breaker closed, 3 in flight of 4, 2 waiting, first token after 0.58 ms"});
  CHECK(app::state_lines(targets, "m", "q", "x") ==
        std::vector<std::string>{"now: breaker open (auth), asked again in 1.5 s, 0 in flight, "
                                 "told to wait for 2.0 s, "
                                 "last error upstream_auth 250 ms ago"});
  CHECK(app::state_lines(targets, "m", "p", "y").empty());
  CHECK(app::state_lines("", "m", "p", "x").empty());
}

TEST_CASE("explain says which name it does not know") {
  const config::TemporaryFolder folder;
  folder.write("t.yaml",
               "version: 1\n"
               "providers: {up: {kind: openai, base_url: \"http://h/v1\"}}\n"
               "models: {one: {targets: [{provider: up, model: x}]}}\n"
               "tenants: {t: {}}\n");
  const std::string file = folder.path("t.yaml");
  const Ran unknown = run({"explain", "--config", file, "--model", "oen"});
  CHECK(unknown.code == 1);
  CHECK(unknown.err == "unknown model \"oen\" (did you mean \"one\"?)\n");
  CHECK(run({"explain", "--config", file, "--model", "one", "--tenant", "tt"}).code == 1);
  CHECK(run({"explain", "--config", file}).code == 2);
}

TEST_CASE("schema, version, and what is not there") {
  CHECK(run({"schema"}).out == config::schema_json());
  const Ran version = run({"--version"});
  CHECK(version.code == 0);
  CHECK(version.out.starts_with("tollgate "));
  const Ran not_there = run({"import", "litellm", "f.yaml"});
  CHECK(not_there.code == 2);
  CHECK(not_there.err == "tollgate import is not supported yet\n");
  const Ran misspelt = run({"chek", "x"});
  CHECK(misspelt.code == 2);
  CHECK(misspelt.err == "unknown command \"chek\" (did you mean \"check\"?)\n");
  CHECK(run({}).code == 2);
  CHECK(run({"--help"}).code == 0);
  CHECK(run({"serve", "--nope"}).code == 2);
}

TEST_CASE("healthcheck asks the listener of the file, with its token") {
  const config::TemporaryFolder folder;
  {
    OneAnswer server("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    folder.write("t.yaml", "version: 1\ntenants: {a: {}}\nlisten: {admin: \"127.0.0.1:" +
                               std::to_string(server.port()) + "\", admin_token: tok}\n");
    CHECK(run({"healthcheck", "--config", folder.path("t.yaml")}).code == 0);
    const std::string request = server.request();
    CHECK(request.starts_with("GET /healthz HTTP/1.1\r\n"));
    CHECK(request.find("\r\nAuthorization: Bearer tok\r\n") != std::string::npos);
  }
  {
    OneAnswer server("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n");
    const Ran ran = run(
        {"healthcheck", "--url", "http://127.0.0.1:" + std::to_string(server.port()) + "/readyz"});
    CHECK(ran.code == 1);
    CHECK(ran.err == "unhealthy: status 503\n");
    CHECK(server.request().starts_with("GET /readyz HTTP/1.1\r\n"));
  }
  {
    OneAnswer server("");
    const Ran ran =
        run({"healthcheck", "--url", "http://localhost:" + std::to_string(server.port())});
    CHECK(ran.code == 1);
    CHECK(ran.err == "unhealthy: no HTTP answer\n");
  }
  CHECK(run({"healthcheck", "--url", "https://h/"}).code == 2);
}

TEST_CASE("cache purge asks the admin address of the file, with its token") {
  const config::TemporaryFolder folder;
  const auto purge = [&](std::string reply, std::vector<std::string> more, std::string& request) {
    OneAnswer server(std::move(reply));
    folder.write("t.yaml", "version: 1\ntenants: {a: {}}\nlisten: {admin: \"127.0.0.1:" +
                               std::to_string(server.port()) + "\", admin_token: tok}\n");
    more.insert(more.begin(), {"cache", "purge", "--config", folder.path("t.yaml")});
    Ran ran = run(more);
    request = server.request();
    return ran;
  };
  std::string request;
  const Ran all = purge("HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n{\"purged\":7}", {}, request);
  CHECK(all.code == 0);
  CHECK(all.out == "purged: 7\n");
  CHECK(request.starts_with("POST /admin/cache/purge HTTP/1.1\r\n"));
  CHECK(request.find("\r\nAuthorization: Bearer tok\r\n") != std::string::npos);
  CHECK(request.ends_with("\r\n\r\n{\"all\":true}"));
  const Ran some = purge("HTTP/1.1 401 No\r\n\r\n", {"--tenant", "a\"b", "--model", "m"}, request);
  CHECK(some.code == 1);
  CHECK(some.err == "not purged: status 401\n");
  CHECK(request.ends_with(R"({"tenant":"a\"b","model":"m"})"));
  CHECK(run({"cache"}).code == 2);
  CHECK(run({"cache", "purge", "--all", "--tenant", "a"}).code == 2);
}

TEST_CASE("the metrics listener is asked before the admin listener") {
  config::Config config;
  config.listen.admin = config::HostPort{"127.0.0.1", 1};
  config.listen.admin_token.value = "tok";
  CHECK(app::health_target(config).address.port == 1);
  config.listen.metrics = config::HostPort{"", 2};
  CHECK(app::health_target(config).address.port == 2);
  CHECK(app::health_target(config).token.empty());
}
