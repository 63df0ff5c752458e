#include "gateway/app/healthcheck.hpp"

#include "config/load.hpp"
#include "gateway/app/plain_http.hpp"

namespace tollgate::app {

std::optional<HealthTarget> health_target(std::string_view url) {
  constexpr std::string_view scheme = "http://";
  if (!url.starts_with(scheme)) return std::nullopt;
  url.remove_prefix(scheme.size());
  const std::size_t slash = url.find('/');
  std::string authority(url.substr(0, slash));
  if (authority.find(':', authority.find(']') == authority.npos ? 0 : authority.find(']')) ==
      authority.npos) {
    authority += ":80";
  }
  const auto address = config::parse_host_port(authority);
  if (!address || address->host.empty() || address->port == 0) return std::nullopt;
  HealthTarget target;
  target.address = *address;
  if (slash != url.npos && slash + 1 < url.size()) target.path = url.substr(slash);
  const bool clean = target.path.find_first_of(" \r\n") == std::string::npos;
  return clean ? std::optional(target) : std::nullopt;
}

HealthTarget health_target(const config::Config& config) {
  HealthTarget target;
  if (config.listen.metrics) {
    target.address = *config.listen.metrics;
  } else {
    target.address = config.listen.admin.value_or(config::HostPort{"127.0.0.1", 9901});
    target.token = config.listen.admin_token.value;
  }
  return target;
}

std::string ask_health(const HealthTarget& target) {
  const PlainAnswer answer = ask_plain({.address = target.address,
                                        .method = "GET",
                                        .path = target.path,
                                        .token = target.token,
                                        .body = {}});
  if (!answer.wrong.empty() || answer.status == 200) return answer.wrong;
  return "status " + std::to_string(answer.status);
}

}  // namespace tollgate::app
