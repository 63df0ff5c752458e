// Where a call goes: the version, the model and the method in the path, the key in a header (never
// in the query, which proxies log).
#include <algorithm>

#include "routing/providers/gemini.hpp"

namespace tollgate::routing::gemini {
namespace {

/// Letters that a model's name may have; none of them means anything in a path.
bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

bool is_model_name(std::string_view name) {
  // Of dots alone a path makes a way up.
  return name.find_first_not_of('.') != std::string_view::npos &&
         std::ranges::all_of(name, is_name_char);
}

/// `/v1beta`, unless the configured path names a version itself.
std::string_view version_for(std::string_view base_path) {
  for (std::string_view version : {"/v1beta", "/v1", "/v1alpha"}) {
    if (base_path.ends_with(version)) return "";
  }
  return "/v1beta";
}

}  // namespace

std::string_view bare_model(std::string_view model) {
  constexpr std::string_view collection = "models/";
  if (model.starts_with(collection)) model.remove_prefix(collection.size());
  return model;
}

Result<HttpRequest> method_request(const Target& target, const EncodeContext& context,
                                   std::string_view method) {
  constexpr std::string_view tuned = "tunedModels/";
  std::string_view name = bare_model(target.model);
  const bool is_tuned = name.starts_with(tuned);
  if (is_tuned) name.remove_prefix(tuned.size());
  if (!is_model_name(name)) {
    return fail(ErrorKind::model_not_found, "the model name is not one that Gemini can have",
                "model");
  }
  HttpRequest request;
  const std::string& base = target.provider->address.base_path;
  request.target = base;
  request.target += version_for(base);
  request.target += is_tuned ? "/tunedModels/" : "/models/";
  request.target += name;
  request.target += ':';
  request.target += method;
  request.headers.reserve(8, 256);
  request.headers.add("content-type", "application/json");
  if (!context.api_key.empty()) request.headers.add("x-goog-api-key", context.api_key);
  return request;
}

HttpRequest models_request(const ProviderEntry& entry, std::string_view api_key) {
  HttpRequest request;
  request.method = "GET";
  request.target = entry.address.base_path;
  request.target += version_for(entry.address.base_path);
  request.target += "/models";
  if (!api_key.empty()) request.headers.add("x-goog-api-key", api_key);
  return request;
}

Result<void> check_dropped(const Encoded& encoded, const EncodeContext& context) {
  if (!context.refuse_unsupported || encoded.dropped.empty()) return {};
  const std::string& name = encoded.dropped.front();
  return fail(ErrorKind::unsupported_parameter, "Gemini cannot take '" + name + "' here", name);
}

}  // namespace tollgate::routing::gemini
