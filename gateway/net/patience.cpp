#include "gateway/net/patience.hpp"

#include <algorithm>

namespace tollgate::net {

Error upstream_failure(ErrorKind kind, std::string_view provider, std::string_view message,
                       std::string detail) {
  std::string text = "provider ";
  text.append(provider).append(": ").append(message);
  Error error = make_error(kind, std::move(text));
  error.detail = std::move(detail);
  return error;
}

void Patience::stage(SteadyTime limit) {
  limit_ = limit;
  expired_ = false;
  arm(std::min(limit, deadline_));
}

void Patience::expired() {
  expired_ = true;
  wake();
}

Error Patience::why(std::string_view provider, std::string_view what) const {
  if (slot_.aborted()) return slot_.reason();
  if (deadline_ <= limit_) {
    return make_error(ErrorKind::deadline_exceeded, "the call's time limit has passed");
  }
  return upstream_failure(ErrorKind::upstream_timeout, provider,
                          std::string(what) + " took too long");
}

}  // namespace tollgate::net
