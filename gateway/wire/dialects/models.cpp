#include "gateway/wire/dialects/models.hpp"

#include "gateway/wire/json_writer.hpp"

namespace tollgate::wire {
namespace {

void write_model(JsonWriter& json, std::string_view name, std::int64_t created) {
  json.begin_object().member("id", name).member("object", "model").member("created", created);
  json.member("owned_by", "tollgate").end_object();
}

}  // namespace

std::string render_models(std::span<const std::string> names, std::int64_t created) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().member("object", "list").key("data").begin_array();
  for (const std::string& name : names)
    write_model(json, name, created);
  json.end_array().end_object();
  return out;
}

std::string render_model(std::string_view name, std::int64_t created) {
  std::string out;
  JsonWriter json(out);
  write_model(json, name, created);
  return out;
}

}  // namespace tollgate::wire
