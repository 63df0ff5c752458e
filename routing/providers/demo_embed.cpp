// The demo's embeddings: every word is a direction of its own, a text the sum of its words, made a
// unit vector. Equal texts have equal vectors, texts that share words are near each other.
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "gateway/wire/json_writer.hpp"
#include "routing/providers/demo_render.hpp"
#include "routing/stir.hpp"

namespace tollgate::routing::demo {
namespace {

using wire::JsonWriter;

std::uint64_t hash_of(std::string_view word) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : word)
    hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return hash;
}

/// The next of an endless row of numbers in [-1, 1).
double next_number(std::uint64_t& state) {
  const std::uint64_t z = stir(std::exchange(state, state + stir_step));
  return static_cast<double>(z >> 11U) / static_cast<double>(1ULL << 52U) - 1.0;
}

void add_direction(std::vector<double>& sum, std::string_view word, double weight) {
  std::uint64_t state = hash_of(word);
  for (double& value : sum)
    value += weight * next_number(state);
}

std::vector<double> embed(std::string_view text, std::size_t dimensions) {
  std::vector<double> sum(dimensions, 0.0);
  add_direction(sum, text, 0.1);  // word order counts a little, and no text is without a direction
  constexpr std::string_view space = " \t\r\n.,;:!?";
  for (std::size_t at = text.find_first_not_of(space); at != std::string_view::npos;) {
    const auto end = std::min(text.find_first_of(space, at), text.size());
    add_direction(sum, text.substr(at, end - at), 1.0);
    at = text.find_first_not_of(space, end);
  }
  double square = 0;
  for (const double value : sum)
    square += value * value;
  for (double& value : sum)
    value /= std::sqrt(square);
  return sum;
}

void write_vector(JsonWriter& w, const std::vector<double>& values) {
  w.key("embedding").begin_array();
  for (const double value : values) {
    std::array<char, 32> digits{};
    const auto end =
        std::to_chars(digits.data(), digits.data() + digits.size(), static_cast<float>(value)).ptr;
    w.raw({digits.data(), static_cast<std::size_t>(end - digits.data())});
  }
  w.end_array();
}

}  // namespace

DemoScript render_embeddings(std::string_view model, const std::vector<std::string>& inputs,
                             std::size_t dimensions, const Params& params) {
  std::string json;
  JsonWriter w(json);
  std::uint64_t tokens = 0, index = 0;
  w.begin_object().member("object", "list").key("data").begin_array();
  for (const std::string& input : inputs) {
    tokens += std::max<std::uint64_t>(text_tokens(input), 1);
    w.begin_object().member("object", "embedding").member("index", index++);
    write_vector(w, embed(input, dimensions));
    w.end_object();
  }
  w.end_array().member("model", model).key("usage").begin_object();
  w.member("prompt_tokens", tokens).member("total_tokens", tokens).end_object().end_object();
  DemoScript script;
  script.head_delay = params.delay;
  script.headers = {{"content-type", "application/json"}};
  script.dies = params.die_after.has_value();
  if (script.dies) json.resize(json.size() / 2);
  script.steps.push_back({std::chrono::microseconds(0), std::move(json)});
  return script;
}

}  // namespace tollgate::routing::demo
