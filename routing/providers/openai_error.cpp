#include "routing/providers/openai_error.hpp"

#include "gateway/wire/json_walk.hpp"
#include "routing/providers/json_tree.hpp"
#include "routing/providers/openai_json.hpp"

namespace tollgate::routing::openai {
namespace {

/// The first entry's message of a list like `[{"loc": [...], "msg": "..."}]`, or all of it.
std::string list_message(std::string_view list) {
  wire::JsonElements entries(list);
  if (!entries.next()) return text(list);
  std::string_view msg, message;
  pick(entries.value(), {{"msg", msg}, {"message", message}});
  if (msg.empty() && message.empty()) return text(entries.value());
  return text(msg.empty() ? message : msg);
}

std::string message_text(std::string_view value) {
  return value.starts_with('[') ? list_message(value) : text(value);
}

/// An error object, or a body that is one itself.
ReportedError read_object(std::string_view object) {
  std::string_view code, type, message, param, inner, metadata, msg, error_type, error_code;
  std::string_view status;
  pick(object, {{"code", code},
                {"type", type},
                {"message", message},
                {"param", param},
                {"innererror", inner},
                {"metadata", metadata},
                {"msg", msg},
                {"error_type", error_type},
                {"error_code", error_code},
                {"status", status}});
  ReportedError said;
  said.code = text(code.empty() ? error_code : code);
  said.type = text(type.empty() ? error_type : type);
  if (said.type.empty() && is_string(status)) said.type = text(status);
  said.message = message_text(message.empty() ? msg : message);
  said.param = text(param);
  std::string_view reasons, raw;
  pick(metadata, {{"reasons", reasons}, {"raw", raw}});
  said.content_filtered = !inner.empty() || !says_nothing(reasons) ||
                          said.code == "content_filter" || said.code == "content_policy_violation";
  // A router's own sentence says less than that of the provider behind it.
  if (said.message == "Provider returned error" && is_string(raw)) {
    said.message += ": " + text(raw).substr(0, 500);
  }
  return said;
}

bool truthy(std::string_view value) {
  return !says_nothing(value) && value != "false" && value != "0";
}

/// `{"error": ...}` in its forms; `object` is the body around it.
ReportedError read_wrapped(std::string_view error, std::string_view object) {
  if (error.starts_with('{')) return read_object(error);
  ReportedError said = read_object(object);
  if (said.message.empty()) said.message = message_text(error);
  return said;
}

ReportedError read_unwrapped(std::string_view object) {
  std::string_view detail, errors;
  pick(object, {{"detail", detail}, {"errors", errors}});
  ReportedError said = read_object(object);
  if (said.message.empty()) said.message = message_text(detail.empty() ? errors : detail);
  return said;
}

}  // namespace

ReportedError read_error_body(int status, std::string_view body) {
  ReportedError said;
  if (is_json(body)) {
    const auto begin = body.find_first_not_of(" \t\r\n");
    body.remove_prefix(begin);
    if (body.starts_with('[')) {  // Google's compatible surface wraps its error in a list
      wire::JsonElements entries(body);
      if (entries.next()) body = entries.value();
    }
    std::string_view error;
    pick(body, {{"error", error}});
    said = truthy(error) ? read_wrapped(error, body) : read_unwrapped(body);
    if (said.message.empty() && is_string(body)) said.message = text(body);
  }
  if (said.message.empty()) said.message = plain_message(status, is_json(body) ? "" : body);
  return said;
}

std::optional<ReportedError> read_error_inside(std::string_view object) {
  std::string_view error, kind;
  pick(object, {{"error", error}, {"object", kind}});
  if (truthy(error)) return read_wrapped(error, object);
  if (kind == "\"error\"") return read_object(object);
  return std::nullopt;
}

}  // namespace tollgate::routing::openai
