// plain_http: one request over a plain blocking socket, for commands that ask a running gateway.
// Takes seconds at most and reads a bounded reply. Called by the command line, never by the running
// gateway.
#pragma once
#include <string>
#include <string_view>

#include "config/config.hpp"

namespace tollgate::app {

struct PlainRequest {
  config::HostPort address;  ///< one on every address is asked on loopback
  std::string_view method = "GET";
  std::string path;
  std::string token;  ///< sent as a bearer token; empty: none
  std::string body;
};

struct PlainAnswer {
  int status = 0;
  std::string body;
  std::string wrong;  ///< why there is no status; empty: there is one
};

[[nodiscard]] PlainAnswer ask_plain(const PlainRequest& request);

}  // namespace tollgate::app
