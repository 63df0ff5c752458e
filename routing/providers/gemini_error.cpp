// Google's error object, read for the error table.
#include <algorithm>

#include "gateway/wire/json_view.hpp"
#include "routing/providers/error_table.hpp"
#include "routing/providers/gemini.hpp"
#include "routing/providers/json_tree.hpp"

namespace tollgate::routing::gemini {
namespace {

using wire::JsonView;

/// The JSON of an error body: alone, in an array, or behind a stream's `data:`.
JsonView error_object(std::string_view body) {
  const auto begin = body.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  body.remove_prefix(begin);
  if (body.starts_with("data:")) body.remove_prefix(5);
  const auto open = body.find_first_of("{[");
  if (open == std::string_view::npos || !is_json(body.substr(open))) return {};
  const JsonView root(body.substr(open));
  if (!root.is_array()) return root["error"];
  for (const JsonView& item : root.items()) {
    if (const auto error = item["error"]) return error;
  }
  return {};
}

bool ends_with(const JsonView& value, std::string_view suffix) {
  return value.string().ends_with(suffix);
}

/// A day's quota, or one of nothing: waiting a minute does not help.
bool names_spent_quota(const JsonView& detail) {
  for (const JsonView& violation : detail["violations"].items()) {
    if (violation["quotaId"].string().find("PerDay") != std::string::npos) return true;
  }
  return false;
}

/// "... limit: 0, model: ..." and not "limit: 0.5" or "limit: 05".
bool says_no_quota(std::string_view message) {
  constexpr std::string_view words = "limit: 0";
  for (auto at = message.find(words); at != std::string_view::npos;
       at = message.find(words, at + 1)) {
    const std::string_view rest = message.substr(at + words.size());
    const bool goes_on = rest.size() > 1 && rest[0] == '.' && rest[1] >= '0' && rest[1] <= '9';
    const bool longer = !rest.empty() && rest[0] >= '0' && rest[0] <= '9';
    if (!goes_on && !longer) return true;
  }
  return false;
}

/// "Please retry in 46.2s."
std::optional<std::chrono::milliseconds> delay_in(std::string_view message) {
  constexpr std::string_view words = "Please retry in ";
  const auto at = message.find(words);
  if (at == std::string_view::npos) return std::nullopt;
  std::string_view delay = message.substr(at + words.size());
  delay = delay.substr(0, delay.find_first_not_of("0123456789.hms"));
  while (delay.ends_with('.'))
    delay.remove_suffix(1);
  return parse_delay(delay);
}

void read_details(const JsonView& error, int status, ReportedError& reported) {
  bool spent = says_no_quota(reported.message);
  reported.retry_after = delay_in(reported.message);
  for (const JsonView& detail : error["details"].items()) {
    const auto type = detail["@type"];
    if (ends_with(type, "google.rpc.ErrorInfo")) reported.code = detail["reason"].string();
    if (ends_with(type, "google.rpc.QuotaFailure")) spent |= names_spent_quota(detail);
    if (!ends_with(type, "google.rpc.RetryInfo")) continue;
    if (const auto delay = parse_delay(detail["retryDelay"].string())) {
      reported.retry_after = delay;
    }
  }
  if (status == 429 && spent) reported.code = "insufficient_quota";
}

}  // namespace

Error read_error(int status, const HeaderFields& headers, std::string_view body) {
  const JsonView error = error_object(body);
  ReportedError reported;
  if (error.is_object()) {
    const auto code = error["code"].integer();
    const bool names_status = code && *code >= 400 && *code < 600;
    if (status == 0 && names_status) status = static_cast<int>(*code);
    reported.type = error["status"].string();
    reported.message = error["message"].string();
    if (status == 0 && reported.type.empty()) status = 502;
    read_details(error, status == 0 && reported.type == "RESOURCE_EXHAUSTED" ? 429 : status,
                 reported);
  } else {
    if (error.is_string()) reported.message = error.string();
    if (status == 0) status = 502;
    if (reported.message.empty()) reported.message = plain_message(status, body);
  }
  Error result = map_upstream_error(status, headers, reported);
  // Google's status words mean nothing to OpenAI's clients.
  if (result.kind == ErrorKind::upstream_rejected) result.type = "invalid_request_error";
  return result;
}

}  // namespace tollgate::routing::gemini
