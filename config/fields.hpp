// Fields: one visit_fields per section names every key once, with its meaning and its bounds. From
// this table come reading and unknown-key errors (read.cpp), the JSON Schema (schema.cpp) and the
// masked copy (mask.cpp). To add a key: its member in config.hpp, its line here, the place that
// uses it. Private to config/*.cpp.
#pragma once
#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/config.hpp"

namespace tollgate::config {

using Words = std::span<const std::string_view>;

/// What a field asks of its value beyond its type.
struct Rule {
  bool required = false;
  std::uint64_t min = 0;  ///< whole numbers; milliseconds; bytes
  std::uint64_t max = std::numeric_limits<std::uint64_t>::max();
  Words words{};              ///< the only words that text may be; with `path` a path too
  bool path = false;          ///< counts from the file that names it
  bool digest = false;        ///< shown by its first digits only
  std::string_view absent{};  ///< what holds without the key, where the member cannot tell
};

/// How an enum is spelled; `later` are the contract's values that this build does not have.
template <class E>
struct Spelling;
template <>
struct Spelling<Strategy> {
  static constexpr std::array<std::string_view, 2> names{"ordered", "weighted"};
  static constexpr std::array<std::string_view, 3> later{"least_latency", "least_busy", "cheapest"};
};
template <>
struct Spelling<UnsupportedParams> {
  static constexpr std::array<std::string_view, 2> names{"drop", "refuse"};
  static constexpr std::array<std::string_view, 0> later{};
};
template <>
struct Spelling<OnDisconnect> {
  static constexpr std::array<std::string_view, 1> names{"cancel"};
  static constexpr std::array<std::string_view, 1> later{"drain"};
};
template <>
struct Spelling<Auth> {
  static constexpr std::array<std::string_view, 2> names{"keys", "none"};
  static constexpr std::array<std::string_view, 0> later{};
};
template <>
struct Spelling<LogBodies> {
  static constexpr std::array<std::string_view, 1> names{"off"};
  static constexpr std::array<std::string_view, 1> later{"*"};  // whatever else it will be
};

/// Members whose C++ type does not tell how the file spells them.
struct JsonMembers {
  std::vector<std::pair<std::string, std::string>>& members;  ///< any YAML -> JSON text
};
struct TextMembers {
  std::vector<std::pair<std::string, std::string>>& members;  ///< any scalar -> its text
};
struct Lookup {
  bool& by_hash;  ///< `id` | `hash`
};

inline constexpr std::array<std::string_view, 6> log_levels{"trace", "debug", "info",
                                                            "warn",  "error", "off"};
inline constexpr std::array<std::string_view, 2> log_formats{"json", "text"};
inline constexpr std::array<std::string_view, 2> log_outputs{"stderr", "stdout"};
inline constexpr std::array<std::string_view, 3> access_outputs{"stdout", "stderr", "off"};

// The place of each section, as not_supported.cpp and messages name it.
constexpr std::string_view section_of(const Config*) { return ""; }
constexpr std::string_view section_of(const Listen*) { return "listen"; }
constexpr std::string_view section_of(const ListenTls*) { return "listen.tls"; }
constexpr std::string_view section_of(const ListenLimits*) { return "listen.limits"; }
constexpr std::string_view section_of(const ListenTimeouts*) { return "listen.timeouts"; }
constexpr std::string_view section_of(const ProviderConfig*) { return "providers.*"; }
constexpr std::string_view section_of(const ProviderTimeouts*) { return "providers.*.timeouts"; }
constexpr std::string_view section_of(const ProviderTls*) { return "providers.*.tls"; }
constexpr std::string_view section_of(const ModelConfig*) { return "models.*"; }
constexpr std::string_view section_of(const TargetConfig*) { return "models.*.targets[]"; }
constexpr std::string_view section_of(const RetryConfig*) { return "models.*.retry"; }
constexpr std::string_view section_of(const TenantConfig*) { return "tenants.*"; }
constexpr std::string_view section_of(const KeyConfig*) { return "tenants.*.keys[]"; }
constexpr std::string_view section_of(const LogConfig*) { return "log"; }

template <class V>
void visit_fields(ListenTls& c, V& v) {
  v("cert_file", c.cert_file, "Certificate chain in PEM; re-read at a reload.",
    Rule{.required = true, .path = true});
  v("key_file", c.key_file, "Its private key in PEM.", Rule{.required = true, .path = true});
}

template <class V>
void visit_fields(ListenLimits& c, V& v) {
  v("header_bytes", c.header_bytes, "Largest request head; more is 431.",
    Rule{.min = 1024, .max = 16U << 20U});
  v("body_bytes", c.body_bytes, "Largest request body; more is 413.",
    Rule{.min = 1, .max = 4ULL << 30U});
  v("connections", c.connections, "Open client connections over all workers; more get 503.",
    Rule{.min = 1});
  v("in_flight", c.in_flight, "Requests being served at the same time; more get 503.",
    Rule{.min = 1});
}

template <class V>
void visit_fields(ListenTimeouts& c, V& v) {
  v("header", c.header, "From the first byte of a request to the end of its head.", Rule{.min = 1});
  v("body_idle", c.body_idle, "Between two reads of a request body.", Rule{.min = 1});
  v("write_idle", c.write_idle, "How long a client may take no byte of its reply.", Rule{.min = 1});
  v("keep_alive", c.keep_alive, "How long an idle connection stays open.", Rule{.min = 1});
  v("drain", c.drain, "After SIGTERM: how long running calls may still take.");
}

template <class V>
void visit_fields(Listen& c, V& v) {
  v("http", c.http, "Address of the API.");
  v("tls", c.tls, "Certificate of the API; absent: plain HTTP.");
  v("admin", c.admin, "Address of /metrics, /healthz, /readyz and /admin/*; never the API's.",
    Rule{.absent = "127.0.0.1:9901"});
  v("admin_token", c.admin_token,
    "Bearer token of the admin address; required when that listens beyond loopback.");
  v("metrics", c.metrics, "A further address with /metrics, /healthz and /readyz, no token.");
  v("workers", c.workers, "Worker threads; 0: one per core.", Rule{.max = 1024});
  v("cors", c.cors, "Origins that browsers may call from, or \"*\".");
  v("limits", c.limits, "What the API takes on.");
  v("timeouts", c.timeouts, "How long clients may take.");
  v("heartbeat", c.heartbeat, "Silence in a stream after which a comment is sent; 0: never.");
}

template <class V>
void visit_fields(ProviderTimeouts& c, V& v) {
  v("connect", c.connect, "DNS, TCP and TLS together.", Rule{.min = 1});
  v("first_byte", c.first_byte, "Of a stream: from the request to the first byte.", Rule{.min = 1});
  v("idle", c.idle, "Between two reads once the reply has begun.", Rule{.min = 1});
}

template <class V>
void visit_fields(ProviderTls& c, V& v) {
  v("ca_file", c.ca_file, "Certificates to trust instead of the system's, in PEM.",
    Rule{.path = true});
  v("verify", c.verify, "Whether the provider's certificate is checked. Leave it on.");
}

template <class V>
void visit_fields(ProviderConfig& c, V& v) {
  v("kind", c.kind, "The dialect it speaks: openai (and all that is compatible), anthropic, ...",
    Rule{.required = true});
  v("base_url", c.base_url, "Where it is, as the provider's own SDK takes it; absent: the kind's.");
  v("api_key", c.api_key, "Our key there. One that expands to nothing disables the provider.");
  v("api_keys", c.api_keys, "Several keys, to spread calls over.");
  v("allow_fields", c.allow_fields,
    "Request fields that choose a model, route or plugin and are let through all the same.");
  v("headers", c.headers, "Added to each request.");
  v("timeouts", c.timeouts, "How long it may take.");
  v("tls", c.tls, "How its certificate is checked.");
}

template <class V>
void visit_fields(TargetConfig& c, V& v) {
  v("provider", c.provider, "A name under `providers`.", Rule{.required = true});
  v("model", c.model, "The provider's name for the model; \"*\": what the wildcard matched.",
    Rule{.required = true});
  v("weight", c.weight, "Share of the calls with `strategy: weighted`.",
    Rule{.min = 1, .max = 1'000'000});
}

template <class V>
void visit_fields(RetryConfig& c, V& v) {
  v("attempts", c.attempts, "Attempts over all targets of this model, the first included.",
    Rule{.min = 1, .max = 100});
}

template <class V>
void visit_fields(ModelConfig& c, V& v) {
  v("targets", c.targets, "Where its calls go.", Rule{.required = true});
  v("strategy", c.strategy, "How the first target is chosen.");
  v("timeout", c.timeout, "The whole call, every attempt in it.", Rule{.min = 1});
  v("hold_back", c.hold_back,
    "How long the first content token is awaited before 200 is sent; until then failover is "
    "invisible.");
  v("on_disconnect", c.on_disconnect, "What a client's hang-up does to the provider's call.");
  v("defaults", JsonMembers{c.defaults}, "Request fields filled in where the client is silent.");
  v("unsupported_params", c.unsupported_params,
    "What happens to a request field that a provider cannot take: drop (and name it in "
    "x-tollgate-dropped-params) or refuse.");
  v("retry", c.retry, "How failures are retried.");
  v("max_attempts", c.max_attempts, "Requests to providers per call.", Rule{.min = 1, .max = 100});
}

template <class V>
void visit_fields(KeyConfig& c, V& v) {
  v("id", c.id, "Public name of the key, unique in the file; part of the secret.",
    Rule{.required = true});
  v("sha256", c.sha256, "Hex SHA-256 of the whole secret; `tollgate key new` prints it.",
    Rule{.required = true, .digest = true});
  v("expires", c.expires, "Date (from 00:00 UTC) or RFC 3339 time from which it is refused.");
  v("models", c.models, "Models it may use, of those of its tenant; absent: all of them.");
  v("lookup", Lookup{c.by_hash}, "hash: a key of any form, brought from another gateway.");
}

template <class V>
void visit_fields(TenantConfig& c, V& v) {
  v("keys", c.keys, "The keys its clients call with.");
  v("models", c.models, "Models it may use, exact or with a trailing \"*\"; absent: all.");
  v("provider_keys", c.provider_keys, "The tenant's own keys, by provider.");
  v("tags", TextMembers{c.tags}, "Noted with each of its calls.");
}

template <class V>
void visit_fields(LogConfig& c, V& v) {
  v("level", c.level, "Least severity that is written.", Rule{.words = log_levels});
  v("format", c.format, "One JSON object a line, or text.", Rule{.words = log_formats});
  v("output", c.output, "stderr, stdout or a path.", Rule{.words = log_outputs, .path = true});
  v("access", c.access, "One line per call: stdout, stderr, off or a path.",
    Rule{.words = access_outputs, .path = true});
  v("bodies", c.bodies, "Prompts and replies are never logged.");
}

template <class V>
void visit_fields(Config& c, V& v) {
  v("version", c.version, "Version of this format.", Rule{.required = true, .min = 1, .max = 1});
  v("include", c.include, "Further files, by path or glob, relative to this one; merged by name.");
  v("listen", c.listen, "Where the gateway listens.");
  v("providers", c.providers, "A name of your own -> where a provider is and how it is called.");
  v("models", c.models,
    "The name clients ask for, exact or with a trailing \"*\" -> targets. An exact name beats the "
    "longest wildcard.");
  v("tenants", c.tenants, "Who may call, with which keys.");
  v("auth", c.auth, "none: no keys at all; on loopback only and with at most one tenant.");
  v("log", c.log, "What is logged, and where to.");
}

}  // namespace tollgate::config
