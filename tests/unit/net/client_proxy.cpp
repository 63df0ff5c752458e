// Proxies by the environment's rules: which hosts go through one, and how.
#include "client_certificates.hpp"
#include "client_support.hpp"

using namespace tollgate;
using namespace tollgate::net;
using namespace tollgate::net::test;

namespace {

Result<ProxySettings> settings(std::map<std::string, std::string> environment) {
  return ProxySettings::from_environment(
      [environment](const char* name) -> std::optional<std::string> {
        const auto found = environment.find(name);
        if (found == environment.end()) return std::nullopt;
        return found->second;
      });
}

}  // namespace

TEST_CASE("which proxy leads to a host") {
  const auto found = settings({{"HTTPS_PROXY", "http://us%20er:p%40ss@proxy.test:3128/"},
                               {"http_proxy", "other.test"},
                               {"NO_PROXY",
                                "internal.test, .corp.test,*.deep.test,10.0.0.0/8,fd00::/8,"
                                "192.0.2.7,exact.test:8443"}});
  REQUIRE(found);
  const Proxy* proxy = found->for_host(true, "api.openai.com", 443);
  REQUIRE(proxy != nullptr);
  CHECK(proxy->host == "proxy.test");
  CHECK(proxy->port == 3128);
  CHECK(proxy->authorization == "Basic dXMgZXI6cEBzcw==");
  const Proxy* plain = found->for_host(false, "api.openai.com", 80);
  REQUIRE(plain != nullptr);
  CHECK(*plain == Proxy{"other.test", 80, ""});
  struct Row {
    const char* host;
    std::uint16_t port;
    bool direct;
  };
  for (const Row& row :
       {Row{"internal.test", 443, true}, Row{"a.INTERNAL.test", 443, true},
        Row{"notinternal.test", 443, false}, Row{"corp.test", 443, true},
        Row{"x.y.corp.test", 443, true}, Row{"a.deep.test", 443, true}, Row{"10.1.2.3", 443, true},
        Row{"10.0.0.0", 443, true}, Row{"11.1.2.3", 443, false}, Row{"fd00::1", 443, true},
        Row{"fe00::1", 443, false}, Row{"192.0.2.7", 443, true}, Row{"192.0.2.8", 443, false},
        Row{"exact.test", 8443, true}, Row{"exact.test", 443, false}, Row{"localhost", 443, true},
        Row{"127.0.0.1", 443, true}, Row{"::1", 443, true}}) {
    CAPTURE(row.host);
    CHECK((found->for_host(true, row.host, row.port) == nullptr) == row.direct);
  }
}

TEST_CASE("all, none and malformed") {
  CHECK(settings({})->for_host(true, "x.test", 443) == nullptr);
  CHECK(settings({{"HTTPS_PROXY", ""}})->for_host(true, "x.test", 443) == nullptr);
  const auto all = settings({{"HTTPS_PROXY", "[fd00::1]:99"}, {"NO_PROXY", "*"}});
  REQUIRE(all);
  CHECK(all->for_host(true, "x.test", 443) == nullptr);
  const auto six = settings({{"HTTPS_PROXY", "http://[fd00::1]:99"}});
  REQUIRE(six);
  CHECK(*six->for_host(true, "x.test", 443) == Proxy{"fd00::1", 99, ""});
  for (const char* bad :
       {"socks5://x:1", "http://x:port", "http://x:99999", "http://:80", "http://"}) {
    CAPTURE(bad);
    const auto refused = settings({{"HTTPS_PROXY", bad}});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message.find("HTTPS_PROXY") != std::string::npos);
  }
}

TEST_CASE("plain HTTP goes to the proxy in absolute form") {
  UpstreamShared shared;
  Client client(&shared);
  std::string got;
  Server proxy(client.io, [&](Talk& talk) -> Awaitable<void> {
    got = co_await talk.request();
    co_await talk.say(sized("ok"));
    co_await talk.wait_closed();
  });
  shared.proxies =
      *settings({{"HTTP_PROXY", "http://u:p@127.0.0.1:" + std::to_string(proxy.port())}});
  CHECK(ask(client, provider_at(80, false, "provider.test"), {.path = "/v1/x"}).body == "ok");
  CHECK(got.starts_with("POST http://provider.test/v1/x HTTP/1.1\r\nhost: provider.test\r\n"));
  CHECK(got.find("proxy-authorization: Basic dTpw\r\n") != std::string::npos);
  CHECK(client.names->asked.empty());  // the proxy resolves
}

TEST_CASE("TLS goes through a tunnel; a refusal is an error without the proxy's secrets") {
  const Certificates files("DNS:provider.test");
  UpstreamShared shared;
  Client client(&shared);
  TlsServerContext context;
  REQUIRE(context.load(files.certificate(), files.key()));
  const SslContext tls = context.current();
  std::string connect;
  std::string inner;
  bool refuse = false;
  Server proxy(client.io, [&](Talk& talk) -> Awaitable<void> {
    connect = co_await talk.request();
    if (refuse) {
      co_await talk.say("HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n");
      co_return;
    }
    co_await talk.say("HTTP/1.1 200 Connection established\r\n\r\n");
    auto stream = tls_server_stream(talk.stream->release(), tls);
    CHECK((co_await stream->handshake()).status == IoStatus::ok);
    talk.stream = std::move(stream);
    inner = co_await talk.request();
    co_await talk.say(sized("through"));
    co_await talk.wait_closed();
  });
  shared.proxies =
      *settings({{"HTTPS_PROXY", "http://u:p@127.0.0.1:" + std::to_string(proxy.port())}});
  auto provider = provider_at(443, true, "provider.test");
  provider.tls.ca_file = files.ca();
  CHECK(ask(client, provider).body == "through");
  CHECK(connect ==
        "CONNECT provider.test:443 HTTP/1.1\r\nhost: provider.test:443\r\n"
        "proxy-authorization: Basic dTpw\r\n\r\n");
  CHECK(inner.starts_with("POST /v1/x HTTP/1.1\r\nhost: provider.test\r\n"));
  CHECK(inner.find("proxy-authorization") == std::string::npos);

  client.upstreams->close();
  refuse = true;
  const Seen seen = ask(client, provider);
  REQUIRE(seen.error);
  CHECK(seen.error->message.find("proxy") != std::string::npos);
  CHECK(seen.error->detail.find("407") != std::string::npos);
  CHECK(client.stats().open == 0);
}
