#include "routing/providers/openai_embeddings.hpp"

#include <bit>
#include <string>

#include "gateway/wire/base64.hpp"
#include "gateway/wire/json_shape.hpp"
#include "gateway/wire/json_walk.hpp"
#include "routing/providers/openai_json.hpp"
#include "routing/providers/openai_usage.hpp"

namespace tollgate::routing::openai {
namespace {

void append_float(std::string& out, float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  for (unsigned shift = 0; shift < 32; shift += 8)
    out += static_cast<char>(bits >> shift & 0xFFU);
}

/// Little-endian float32 bytes of a list of numbers or of a base64 string; empty: neither.
std::string vector_bytes(std::string_view value) {
  if (is_string(value)) return wire::base64_decode(text(value)).value_or(std::string());
  std::string bytes;
  for (wire::JsonElements numbers(value); numbers.next();) {
    const auto number = wire::json_double(numbers.value());
    if (!number) return {};
    append_float(bytes, static_cast<float>(*number));
  }
  return bytes;
}

Result<void> read_vectors(std::string_view data, Batch& out) {
  std::uint32_t position = 0;
  for (wire::JsonElements items(data); items.next(); ++position) {
    std::string_view index, embedding;
    pick(items.value(), {{"index", index}, {"embedding", embedding}});
    const std::string bytes = vector_bytes(embedding);
    if (bytes.empty()) {
      return fail(ErrorKind::upstream_error, "the provider sent an embedding without numbers");
    }
    const auto number = static_cast<std::uint32_t>(count(index).value_or(position));
    out.push(Embedding{number, out.store(bytes)});
  }
  return {};
}

}  // namespace

Result<void> read_embeddings(std::string_view object, bool vectors, Batch& out) {
  std::string_view id, model, data, usage;
  pick(object, {{"id", id}, {"model", model}, {"data", data}, {"usage", usage}});
  if (!data.starts_with('[')) {
    return fail(ErrorKind::upstream_error, "the provider's reply holds no embeddings");
  }
  out.push(Started{out.store(text(id)), out.store(text(model)), 0});
  if (vectors) {
    auto read = read_vectors(data, out);
    if (!read) return read;
  }
  if (const auto counted = read_usage(usage)) out.push(UsageEvent{*counted});
  return {};
}

}  // namespace tollgate::routing::openai
