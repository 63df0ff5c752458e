#include "gateway/wire/dialects/openai/openai.hpp"
#include "gateway/wire/json_writer.hpp"

namespace tollgate::wire::openai {

std::string render_error(const Error& error) {
  std::string out;
  JsonWriter json(out);
  // The SDKs read all four keys, so none is left out.
  const auto member = [&](std::string_view name, std::string_view text) {
    json.key(name);
    text.empty() ? json.null() : json.value(text);
  };
  json.begin_object().key("error").begin_object();
  json.member("message", std::string_view(error.message));
  member("type", error.type);
  member("param", error.param);
  member("code", error.code);
  if (!error.members.empty()) out.append(",").append(error.members);
  json.end_object().end_object();
  return out;
}

}  // namespace tollgate::wire::openai
