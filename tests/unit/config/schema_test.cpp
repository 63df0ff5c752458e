#include <doctest/doctest.h>
#include <simdjson.h>

#include "config/not_supported.hpp"
#include "tests/unit/config/support.hpp"

using namespace tollgate::config;

namespace {

simdjson::dom::element parse(simdjson::dom::parser& parser, const std::string& text) {
  simdjson::dom::element root;
  REQUIRE(parser.parse(text).get(root) == simdjson::SUCCESS);
  return root;
}

bool has(simdjson::dom::element root, const std::string& pointer) {
  simdjson::dom::element found;
  return root.at_pointer(pointer).get(found) == simdjson::SUCCESS;
}

// Each object with `properties` must refuse others and describe each of them.
void check_objects(simdjson::dom::element node, int& objects) {
  simdjson::dom::object object;
  simdjson::dom::array array;
  if (node.get(array) == simdjson::SUCCESS) {
    for (const auto item : array)
      check_objects(item, objects);
  }
  if (node.get(object) != simdjson::SUCCESS) return;
  simdjson::dom::object properties;
  if (object["properties"].get(properties) == simdjson::SUCCESS) {
    ++objects;
    bool more = true;
    CHECK(object["additionalProperties"].get(more) == simdjson::SUCCESS);
    CHECK_FALSE(more);
    for (const auto property : properties) {
      std::string_view text;
      CHECK_MESSAGE(property.value["description"].get(text) == simdjson::SUCCESS, property.key);
    }
  }
  for (const auto member : object)
    check_objects(member.value, objects);
}

}  // namespace

TEST_CASE("the schema is JSON of draft 2020-12 and closed everywhere") {
  simdjson::dom::parser parser;
  const simdjson::dom::element root = parse(parser, schema_json());
  std::string_view draft;
  REQUIRE(root["$schema"].get(draft) == simdjson::SUCCESS);
  CHECK(draft == "https://json-schema.org/draft/2020-12/schema");
  CHECK(has(root, "/$id"));
  CHECK(has(root, "/title"));
  int objects = 0;
  check_objects(root, objects);
  CHECK(objects == 46);
}

TEST_CASE("the schema has types, defaults, enums and patterns where they belong") {
  simdjson::dom::parser parser;
  const simdjson::dom::element root = parse(parser, schema_json());
  const std::string model = "/properties/models/additionalProperties/properties";
  CHECK(has(root, model + "/targets/minItems"));
  CHECK(has(root, model + "/timeout/anyOf/0/pattern"));
  std::string_view text;
  REQUIRE(root.at_pointer(model + "/timeout/default").get(text) == simdjson::SUCCESS);
  CHECK(text == "10m");
  REQUIRE(root.at_pointer("/properties/listen/properties/admin/default").get(text) ==
          simdjson::SUCCESS);
  CHECK(text == "127.0.0.1:9901");
  REQUIRE(root.at_pointer(model + "/strategy/anyOf/0/enum/1").get(text) == simdjson::SUCCESS);
  CHECK(text == "weighted");
  CHECK(has(root, model + "/strategy/anyOf/0/enum/4"));
  CHECK_FALSE(has(root, model + "/strategy/anyOf/0/enum/5"));
  REQUIRE(root.at_pointer("/required/0").get(text) == simdjson::SUCCESS);
  CHECK(text == "version");
}

TEST_CASE("the schema lists no key that this build refuses") {
  simdjson::dom::parser parser;
  const simdjson::dom::element root = parse(parser, schema_json());
  const std::map<std::string, std::string> places = {
      {"", "/properties"},
      {"providers.*", "/properties/providers/additionalProperties/properties"},
      {"providers.*.limits",
       "/properties/providers/additionalProperties/properties/limits/properties"},
      {"models.*", "/properties/models/additionalProperties/properties"},
      {"ledger", "/properties/ledger/properties"},
      {"store.on_error", "/properties/store/properties/on_error/properties"},
      {"cache", "/properties/cache/properties"},
      {"models.*.retry", "/properties/models/additionalProperties/properties/retry/properties"},
      {"tenants.*", "/properties/tenants/additionalProperties/properties"},
      {"tenants.*.keys[]",
       "/properties/tenants/additionalProperties/properties/keys/items/properties"},
  };
  for (const auto& [section, place] : places)
    CHECK(has(root, place));
  for (const NotSupported& entry : not_supported_keys()) {
    const std::string pointer =
        places.at(std::string(entry.section)) + "/" + std::string(entry.key);
    CHECK_MESSAGE(!has(root, pointer), pointer);
  }
}

TEST_CASE("the masked copy shows everything but secrets, and can be read again") {
  const std::string file =
      "version: 1\nlisten: {admin_token: sesame, http: \"[::1]:0\"}\n"
      "providers: {p: {kind: openai, api_key: sesame, headers: {X-A: sesame}}, q: {kind: "
      "anthropic, "
      "api_keys: [sesame, sesame]}}\n"
      "models: {\"a\\\"b/*\": {targets: [{provider: p, model: \"*\"}], defaults: {stop: "
      "[\"x\\ny\"]}}}\n"
      "tenants: {t: {keys: [{id: a, sha256: " +
      digest +
      ", expires: 2199-01-01, models: [\"a*\"]}], provider_keys: {p: sesame}, tags: {k: v}}}\n";
  const Loaded loaded = load(file);
  REQUIRE(texts(loaded) == std::vector<std::string>{});
  const std::string masked = masked_yaml(*loaded.config);
  CHECK(masked.find("sesame") == std::string::npos);
  CHECK(masked.find(digest) == std::string::npos);
  CHECK(masked.find("sha256: \"aaaaaaaa***\"") != std::string::npos);
  CHECK(masked.find("api_key: \"***\"") != std::string::npos);
  CHECK(masked.find("expires: 2199-01-01T00:00:00Z") != std::string::npos);

  std::string whole = masked;
  whole.replace(whole.find("aaaaaaaa***"), 11, digest);
  // An empty list of files to include would be refused in a text.
  whole.replace(whole.find("include: []\n"), 12, "");
  const Loaded again = load(whole);
  INFO(whole);
  REQUIRE(texts(again) == std::vector<std::string>{});
  CHECK(masked_yaml(*again.config) == masked);
}
