#include "gateway/core/outcome.hpp"

namespace tollgate {

std::string_view to_string(Endpoint endpoint) {
  switch (endpoint) {
    case Endpoint::chat:
      return "/v1/chat/completions";
    case Endpoint::completions:
      return "/v1/completions";
    case Endpoint::embeddings:
      return "/v1/embeddings";
    case Endpoint::models:
      return "/v1/models";
    case Endpoint::model:
      return "/v1/models/{id}";
    case Endpoint::usage:
      return "/v1/usage";
  }
  return "";
}

std::string_view to_string(CallStatus status) {
  switch (status) {
    case CallStatus::ok:
      return "ok";
    case CallStatus::error:
      return "error";
    case CallStatus::client_abort:
      return "client_abort";
    case CallStatus::cancelled:
      return "cancelled";
    case CallStatus::cache_hit:
      return "cache_hit";
    case CallStatus::denied:
      return "denied";
    case CallStatus::unknown:
      return "unknown";
  }
  return "unknown";
}

}  // namespace tollgate
