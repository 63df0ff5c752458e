// Config: the operator's file as plain values. Each struct is one section; its visit_fields
// (config/fields.hpp) names every key once and yields reading, unknown-key errors, the JSON Schema
// and the reference table. Built by load.hpp, read-only afterwards; names here match the keys of
// the file.
#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tollgate::config {

using Duration = std::chrono::milliseconds;  ///< `250ms 30s 10m 24h 30d`
/// `64KiB 32MiB 4GiB` or plain bytes.
struct Bytes {
  std::uint64_t count = 0;
  bool operator==(const Bytes&) const = default;
};
/// `host:port`, `:port` (every address) or `[v6]:port`. `host` is kept as text without brackets.
struct HostPort {
  std::string host;
  std::uint16_t port = 0;
  bool operator==(const HostPort&) const = default;
  [[nodiscard]] bool loopback() const;
  [[nodiscard]] std::string text() const;
};
/// Text that must never be shown: masked in /admin/config and every message.
struct Secret {
  std::string value;
  bool operator==(const Secret&) const = default;
};

struct ListenTls {
  std::string cert_file, key_file;
};
struct ListenLimits {
  Bytes header_bytes{64U << 10U}, body_bytes{32U << 20U};
  std::uint32_t connections = 20000, in_flight = 10000;
};
struct ListenTimeouts {
  Duration header{10000}, body_idle{30000}, write_idle{60000}, keep_alive{650000}, drain{300000};
};
struct Listen {
  HostPort http{"127.0.0.1", 8080};
  std::optional<ListenTls> tls;
  std::optional<HostPort> admin;  ///< loading fills in 127.0.0.1:9901 where the key is absent
  Secret admin_token;
  std::optional<HostPort> metrics;
  std::uint32_t workers = 0;
  std::vector<std::string> cors;
  ListenLimits limits;
  ListenTimeouts timeouts;
  Duration heartbeat{15000};
};

struct ProviderTimeouts {
  Duration connect{3000}, first_byte{300000}, idle{120000};
};
struct ProviderTls {
  std::string ca_file;
  bool verify = true;
};
struct ProviderConfig {
  std::string kind, base_url;
  std::optional<Secret> api_key;
  std::vector<Secret> api_keys;
  std::vector<std::string> allow_fields;
  std::vector<std::pair<std::string, Secret>> headers;
  ProviderTimeouts timeouts;
  ProviderTls tls;
  bool disabled = false;  ///< a key expanded to nothing
};

enum class Strategy : std::uint8_t { ordered, weighted };
enum class UnsupportedParams : std::uint8_t { drop, refuse };
enum class OnDisconnect : std::uint8_t { cancel };
struct TargetConfig {
  std::string provider, model;
  std::uint32_t weight = 1;
};
struct RetryConfig {
  std::uint32_t attempts = 3;
};
struct ModelConfig {
  std::vector<TargetConfig> targets;
  Strategy strategy = Strategy::ordered;
  Duration timeout{600000}, hold_back{15000};
  OnDisconnect on_disconnect = OnDisconnect::cancel;
  std::vector<std::pair<std::string, std::string>> defaults;  ///< name -> JSON text
  UnsupportedParams unsupported_params = UnsupportedParams::drop;
  RetryConfig retry;
  std::uint32_t max_attempts = 6;
};

struct KeyConfig {
  std::string id;
  std::string sha256;                               ///< lower-case hex of the whole secret
  std::optional<std::chrono::sys_seconds> expires;  ///< `2027-01-01` (00:00 UTC) or RFC 3339
  std::optional<std::vector<std::string>> models;
  bool by_hash = false;  ///< `lookup: hash`
};
struct TenantConfig {
  std::vector<KeyConfig> keys;
  std::optional<std::vector<std::string>> models;
  std::vector<std::pair<std::string, Secret>> provider_keys;
  std::vector<std::pair<std::string, std::string>> tags;
};

enum class Auth : std::uint8_t { keys, none };
enum class LogBodies : std::uint8_t { off };
struct LogConfig {
  std::string level = "info";     ///< trace debug info warn error off
  std::string format = "json";    ///< json | text
  std::string output = "stderr";  ///< stderr | stdout | a path
  std::string access = "stdout";  ///< stdout | stderr | off | a path
  LogBodies bodies = LogBodies::off;
};

struct Config {
  int version = 1;
  std::vector<std::string> include;
  Listen listen;
  std::map<std::string, ProviderConfig> providers;
  std::vector<std::pair<std::string, ModelConfig>> models;  ///< in the file's order
  std::map<std::string, TenantConfig> tenants;
  Auth auth = Auth::keys;
  LogConfig log;

  std::string source;               ///< the file's path, or "(built in)"
  std::vector<std::string> files;   ///< what the watch looks at: every file read (includes,
                                    ///< ${file:}, certificates) and the folders of include globs
  bool published_demo_key = false;  ///< the shipped demo key is among the keys
};

}  // namespace tollgate::config
