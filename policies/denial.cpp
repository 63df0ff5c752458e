#include "policies/denial.hpp"

#include "config/values.hpp"
#include "gateway/wire/json_writer.hpp"

namespace tollgate::policies {
namespace {

bool is_money(DenialKind kind) {
  return kind == DenialKind::budget_reserved || kind == DenialKind::budget_exceeded;
}

ErrorKind kind_of(DenialKind kind) {
  switch (kind) {
    case DenialKind::budget_reserved:
      return ErrorKind::budget_reserved;
    case DenialKind::budget_exceeded:
      return ErrorKind::budget_exceeded;
    case DenialKind::unavailable:
      return ErrorKind::store_unavailable;
    default:
      return ErrorKind::rate_limit_exceeded;
  }
}

std::string count_message(const Denial& denial) {
  switch (denial.kind) {
    case DenialKind::tokens:
      return "The limit of " + std::to_string(denial.limit) + " tokens per minute of " +
             denial.scope + " is reached.";
    case DenialKind::concurrent:
      return "The limit of " + std::to_string(denial.limit) + " concurrent requests of " +
             denial.scope + " is reached.";
    default:
      return "The limit of " + std::to_string(denial.limit) + " requests per minute of " +
             denial.scope + " is reached.";
  }
}

std::string money_message(const Denial& denial) {
  const std::string per(denial.per ? to_string(*denial.per) : "");
  const std::string budget =
      "The budget of " + usd_text(denial.ceiling) + " USD per " + per + " of " + denial.scope;
  if (denial.kind == DenialKind::budget_exceeded) {
    return budget + " does not cover this request: " + usd_text(denial.spent) + " USD are spent.";
  }
  return budget + " is held by requests under way (" + usd_text(denial.reserved) +
         " USD); retry shortly.";
}

std::string message_of(const Denial& denial) {
  if (denial.kind == DenialKind::unavailable) {
    return "Limits and budgets cannot be checked right now. Please retry.";
  }
  return is_money(denial.kind) ? money_message(denial) : count_message(denial);
}

std::string members_of(const Denial& denial) {
  std::string text;
  const auto number = [&text](std::string_view name, const std::string& value) {
    text.append(text.empty() ? "\"" : ",\"").append(name).append("\":").append(value);
  };
  std::string scope;
  wire::append_quoted(scope, denial.scope);
  number("scope", scope);
  if (is_money(denial.kind)) {
    number("limit", usd_text(denial.ceiling));
    number("spent_usd", usd_text(denial.spent));
    number("reserved_usd", usd_text(denial.reserved));
  } else {
    number("limit", std::to_string(denial.limit));
    number("used", std::to_string(denial.used));
  }
  const bool ends = denial.resets_at > SystemTime{} && denial.resets_at < SystemTime::max();
  number("resets_at", ends ? "\"" + time_text(denial.resets_at) + "\"" : "null");
  return text;
}

}  // namespace

Error error_of(const Denial& denial) {
  Error error = make_error(kind_of(denial.kind), message_of(denial));
  if (denial.kind != DenialKind::unavailable) error.members = members_of(denial);
  if (denial.retry_after.count() > 0) error.retry_after = denial.retry_after;
  return error;
}

std::string time_text(SystemTime time) {
  return config::to_text(std::chrono::floor<std::chrono::seconds>(time));
}

}  // namespace tollgate::policies
