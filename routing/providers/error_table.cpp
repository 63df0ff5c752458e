#include "routing/providers/error_table.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <span>

namespace tollgate::routing {
namespace {

using std::chrono::milliseconds;

struct StatusOf {
  std::string_view name;
  int status;
};

/// Statuses of errors that come inside a 200 and name no number.
constexpr std::array statuses_by_name{
    StatusOf{"invalid_request_error", 400},
    StatusOf{"INVALID_ARGUMENT", 400},
    StatusOf{"FAILED_PRECONDITION", 400},
    StatusOf{"context_length_exceeded", 400},
    StatusOf{"authentication_error", 401},
    StatusOf{"invalid_api_key", 401},
    StatusOf{"UNAUTHENTICATED", 401},
    StatusOf{"billing_error", 402},
    StatusOf{"permission_error", 403},
    StatusOf{"PERMISSION_DENIED", 403},
    StatusOf{"not_found_error", 404},
    StatusOf{"NOT_FOUND", 404},
    StatusOf{"model_not_found", 404},
    StatusOf{"request_too_large", 413},
    StatusOf{"rate_limit_error", 429},
    StatusOf{"rate_limit_exceeded", 429},
    StatusOf{"RESOURCE_EXHAUSTED", 429},
    StatusOf{"insufficient_quota", 429},
    StatusOf{"api_error", 500},
    StatusOf{"server_error", 500},
    StatusOf{"INTERNAL", 500},
    StatusOf{"UNAVAILABLE", 503},
    StatusOf{"server_is_overloaded", 503},
    StatusOf{"service_unavailable_error", 503},
    StatusOf{"overloaded_error", 529},
    StatusOf{"timeout_error", 504},
    StatusOf{"DEADLINE_EXCEEDED", 504},
};

/// The purse is empty: waiting does not help.
constexpr std::array<std::string_view, 8> quota_codes{"insufficient_quota",
                                                      "credit_balance_exhausted",
                                                      "organization_spend_limit_exceeded",
                                                      "project_spend_limit_exceeded",
                                                      "organization_usage_limit_exceeded",
                                                      "billing_hard_limit_reached",
                                                      "billing_error",
                                                      "insufficient_credits"};

/// A key problem that comes with another status than 401 and 403.
constexpr std::array<std::string_view, 3> auth_codes{"invalid_api_key", "API_KEY_INVALID",
                                                     "authentication_error"};

constexpr std::array<std::string_view, 4> context_codes{"context_length_exceeded",
                                                        "too_many_prompt_tokens", "TOO_MANY_TOKENS",
                                                        "exceed_context_size_error"};

/// Providers without a code for it; each text was seen on the wire.
constexpr std::array<std::string_view, 12> context_markers{
    "maximum context length is",
    "prompt is too long",
    "exceed context limit",
    "Input is too long",
    "Too many input tokens",
    "exceed model maximum",
    "exceeds the maximum number of tokens allowed",
    "too many tokens",
    "Current length is",
    "`inputs` tokens + `max_new_tokens` must be",
    "exceeds the available context size",
    "context_length_exceeded"};

constexpr std::array<std::string_view, 2> quota_markers{
    "credit balance is too low", "exceeded your current quota, please check"};
constexpr std::array<std::string_view, 3> auth_markers{"Incorrect API key", "API key not valid",
                                                       "Invalid API Key"};

bool one_of(std::span<const std::string_view> names, const ReportedError& reported) {
  return std::ranges::any_of(
      names, [&](std::string_view name) { return reported.code == name || reported.type == name; });
}

bool says(std::span<const std::string_view> markers, std::string_view message) {
  return std::ranges::any_of(markers, [&](std::string_view marker) {
    return message.find(marker) != std::string_view::npos;
  });
}

int number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? value : 0;
}

int status_inside(const ReportedError& reported) {
  const int code = number(reported.code);
  if (code >= 400 && code < 600) return code;
  for (const StatusOf& row : statuses_by_name) {
    if (reported.code == row.name || reported.type == row.name) return row.status;
  }
  return 502;
}

ErrorKind judge_client_fault(int status, const ReportedError& reported) {
  if (one_of(context_codes, reported) || says(context_markers, reported.message)) {
    return ErrorKind::context_length;
  }
  if (one_of(quota_codes, reported) || (status == 400 && says(quota_markers, reported.message))) {
    return ErrorKind::upstream_quota;
  }
  if (reported.content_filtered) return ErrorKind::upstream_rejected;
  if (one_of(auth_codes, reported) || status == 401 || status == 403 ||
      (status == 400 && says(auth_markers, reported.message))) {
    return ErrorKind::upstream_auth;
  }
  return ErrorKind::upstream_rejected;
}

ErrorKind judge(int status, const ReportedError& reported) {
  switch (status) {
    case 402:
      return ErrorKind::upstream_quota;
    case 429:
      return one_of(quota_codes, reported) ? ErrorKind::upstream_quota
                                           : ErrorKind::upstream_rate_limited;
    case 498:
    case 503:
    case 529:
      return ErrorKind::upstream_overloaded;
    case 504:
      return ErrorKind::upstream_timeout;
    default:
      break;
  }
  return status >= 400 && status < 500 ? judge_client_fault(status, reported)
                                       : ErrorKind::upstream_error;
}

Retry retry_of(int status, Retry usual) {
  switch (status) {
    case 404:  // another target may map the name to a model that exists
    case 501:  // asking the same server again does not teach it
      return Retry::other_target;
    case 408:
    case 409:
    case 424:
      return Retry::same_or_other;
    default:
      return usual;
  }
}

std::string_view code_for(int status) {
  switch (status) {
    case 404:
      return "model_not_found";
    case 408:
      return "request_timeout";
    case 413:
      return "request_too_large";
    default:
      return "invalid_request_error";
  }
}

/// A provider's own 4xx: everything it said is kept.
void keep_rejection(Error& error, int status, const ReportedError& reported) {
  error.status = status;
  error.retry = retry_of(status, error.retry);
  // A code that only repeats the status says nothing.
  error.code =
      reported.code.empty() || number(reported.code) == status ? code_for(status) : reported.code;
  if (!reported.type.empty()) error.type = reported.type;
}

}  // namespace

std::string plain_message(int status, std::string_view body) {
  constexpr std::size_t readable = 500;
  const auto first = body.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos) body.remove_prefix(first);
  const bool text =
      !body.empty() && body.front() != '<' && body.size() <= readable &&
      std::ranges::none_of(body, [](char c) {
        return static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' && c != '\r';
      });
  if (text) {
    while (!body.empty() && (body.back() == '\n' || body.back() == '\r' || body.back() == ' '))
      body.remove_suffix(1);
    return std::string(body);
  }
  return "the provider answered " + std::to_string(status) + " without a readable error";
}

Error map_upstream_error(int status, const HeaderFields& headers, const ReportedError& reported) {
  const int inside = status == 0 ? status_inside(reported) : status;
  const ErrorKind kind = judge(inside, reported);
  const std::string said =
      reported.message.empty() ? plain_message(inside, {}) : mask_secrets(reported.message);
  Error error = make_error(kind, said, reported.param);
  error.upstream_status = inside;
  switch (kind) {
    case ErrorKind::upstream_rejected:
      keep_rejection(error, inside, reported);
      break;
    case ErrorKind::upstream_auth:
      // Which key of ours it was, and how it looked, is nobody's business but the log's.
      error.message = "the provider refused the gateway's credentials";
      error.detail = said;
      break;
    case ErrorKind::upstream_error:
      // Only real server failures keep their status: a 3xx or 2xx here is a broken upstream.
      if (inside >= 500) error.status = inside;
      error.retry = retry_of(inside, error.retry);
      break;
    case ErrorKind::context_length:
      if (error.param.empty()) error.param = "messages";
      break;
    default:
      break;
  }
  auto asked = retry_after(headers);
  if (reported.retry_after && (!asked || *asked < *reported.retry_after)) {
    asked = reported.retry_after;
  }
  if (!asked && kind == ErrorKind::upstream_rate_limited) asked = reset_wait(headers);
  if (kind != ErrorKind::upstream_quota) error.asked_wait = asked;
  if (error.asked_wait) error.retry_after = asked;
  if (kind == ErrorKind::upstream_rate_limited && !error.retry_after) {
    error.retry_after = std::chrono::seconds(1);
  }
  return error;
}

}  // namespace tollgate::routing
