// The body of an embeddings reply: vectors as numbers, or as base64 of their bytes.
#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>

#include "gateway/wire/base64.hpp"
#include "gateway/wire/dialects/openai/whole_bodies.hpp"
#include "gateway/wire/json_writer.hpp"

namespace tollgate::wire::openai {
namespace {

float little_endian_float(std::string_view bytes) {
  std::uint32_t bits = 0;
  for (unsigned i = 0; i < 4; ++i)
    bits |= std::uint32_t{static_cast<unsigned char>(bytes[i])} << (8U * i);
  return std::bit_cast<float>(bits);
}

/// The shortest text that reads back as the same float. JSON has no word for what is not finite.
void append_float(std::string& out, float number) {
  if (!std::isfinite(number)) {
    out += "null";
    return;
  }
  char digits[32];
  const auto end = std::to_chars(std::begin(digits), std::end(digits), number).ptr;
  out.append(digits, end);
}

void append_floats(std::string& out, std::string_view bytes) {
  out += '[';
  for (std::size_t at = 0; at + 4 <= bytes.size(); at += 4) {
    if (at != 0) out += ',';
    append_float(out, little_endian_float(bytes.substr(at, 4)));
  }
  out += ']';
}

void append_vector(std::string& out, const Embedding& vector, bool base64) {
  out += "{\"object\":\"embedding\",\"index\":";
  append_number(out, vector.index);
  out += ",\"embedding\":";
  if (base64) {
    out.append("\"").append(base64_encode(vector.floats)).append("\"");
  } else {
    append_floats(out, vector.floats);
  }
  out += '}';
}

struct Collected {
  std::vector<Embedding> vectors;
  Usage usage;
};

/// In the order of the inputs: providers that work in parallel may answer in another.
Collected collect(std::span<const Batch> batches) {
  Collected all;
  for (const Batch& batch : batches) {
    for (const StreamEvent& event : batch.events) {
      if (const auto* vector = std::get_if<Embedding>(&event)) all.vectors.push_back(*vector);
      if (const auto* usage = std::get_if<UsageEvent>(&event)) all.usage = usage->usage;
    }
  }
  std::ranges::sort(all.vectors, {}, &Embedding::index);
  return all;
}

std::size_t expected_size(const Collected& all, bool base64) {
  constexpr std::size_t around_vector = 64, chars_per_float = 14;
  std::size_t size = 256;
  for (const Embedding& vector : all.vectors) {
    const std::size_t bytes = vector.floats.size();
    size += around_vector + (base64 ? bytes / 3 * 4 + 4 : bytes / 4 * chars_per_float);
  }
  return size;
}

}  // namespace

std::string render_embeddings(std::span<const Batch> batches, const ReplyContext& context) {
  const Collected all = collect(batches);
  std::string out;
  out.reserve(expected_size(all, context.base64));
  out += "{\"object\":\"list\",\"data\":[";
  for (const Embedding& vector : all.vectors) {
    if (&vector != &all.vectors.front()) out += ',';
    append_vector(out, vector, context.base64);
  }
  out += "],\"model\":";
  append_quoted(out, context.model);
  out += ",\"usage\":{\"prompt_tokens\":";
  append_number(out, all.usage.prompt());
  out += ",\"total_tokens\":";
  append_number(out, all.usage.total());
  out += "}}";
  return out;
}

}  // namespace tollgate::wire::openai
