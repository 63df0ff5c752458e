#include <doctest/doctest.h>
#include <fstream>
#include <iterator>

#include "tests/unit/config/support.hpp"

using namespace tollgate::config;

TEST_CASE("the embedded default is the file in the tree") {
  std::ifstream file(TOLLGATE_SOURCE_DIR "/config/tollgate.yaml", std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  CHECK_FALSE(text.empty());
  CHECK(text == shipped_default());
}

TEST_CASE("the shipped default runs on a bare machine") {
  const Loaded loaded = load_text(shipped_default(), "(built in)", surroundings());
  REQUIRE(texts(loaded) == std::vector<std::string>{});
  const Config& config = *loaded.config;
  CHECK(config.listen.http.text() == "127.0.0.1:8080");
  CHECK(config.listen.admin->text() == "127.0.0.1:9901");
  CHECK(config.tenants.size() == 1);
  CHECK(config.tenants.at("demo").keys.at(0).sha256 == sha256_hex(published_demo_key()));
  CHECK(published_demo_key().starts_with("tg-demo-"));
  CHECK(published_demo_key().size() == 8 + 22);
  CHECK(config.published_demo_key);
  CHECK_FALSE(config.providers.at("demo").disabled);
  for (const char* name : {"openai", "anthropic", "gemini"}) {
    CHECK(config.providers.at(name).disabled);
  }
  CHECK(config.models.at(0).first == "demo");
  CHECK(config.models.at(1).first == "demo/*");
  CHECK(loaded.notes.size() == 4);
}

TEST_CASE("every real provider whose key stands in the environment is on") {
  const Loaded loaded = load_text(
      shipped_default(), "(built in)",
      surroundings({{"OPENAI_API_KEY", "a"}, {"ANTHROPIC_API_KEY", "b"}, {"GEMINI_API_KEY", "c"}}));
  REQUIRE(loaded.config);
  for (const auto& [name, provider] : loaded.config->providers)
    CHECK_FALSE(provider.disabled);
  CHECK(loaded.notes.empty());
}
