#include "policies/cache/key.hpp"

#include <algorithm>
#include <new>
#include <string>
#include <vector>

#include "policies/cache/canonical.hpp"

namespace tollgate::cache {
namespace {

/// Raised whenever the text below, or what is stored under a key, changes its meaning.
constexpr std::string_view version = "tollgate-cache-1";

// The model is named by the route. The others say who asks, how the bytes are to come back, or
// where a provider may look for a prompt that it knows already.
constexpr std::array<std::string_view, 11> beside{
    "model",  "user",           "safety_identifier", "metadata",
    "stream", "stream_options", "prompt_cache_key",  "prompt_cache_retention",
    "trace",  "trace_id",       "traceparent",
};

struct Field {
  std::string_view name, value;
};

std::vector<Field> fields_of(const wire::RequestView& view, std::string_view but) {
  std::vector<Field> fields;
  for (const wire::JsonField& field : view.shape.fields()) {
    if (!field.is_null() && !is_beside_the_answer(field.name) && field.name != but) {
      fields.push_back({field.name, field.value});
    }
  }
  for (const RawField* field : view.missing_defaults()) {
    if (!is_beside_the_answer(field->first)) fields.push_back({field->first, field->second});
  }
  std::ranges::sort(fields, {}, &Field::name);
  return fields;
}

}  // namespace

bool is_beside_the_answer(std::string_view field) {
  return std::ranges::find(beside, field) != beside.end();
}

namespace {

/// Everything that decides the answer, `but` for that field.
std::string text_of(const KeyScope& scope, const wire::RequestView& view, std::string_view but) {
  std::string text;
  text.reserve(view.body.size() + 512);
  append_part(text, version);
  append_part(text, scope.shared ? "shared" : "tenant");
  append_part(text, scope.shared ? std::string_view{} : scope.tenant);
  append_part(text, view.dialect != nullptr ? view.dialect->name() : std::string_view{});
  append_part(text, to_string(view.endpoint));
  append_part(text, scope.model);
  append_part(text, scope.rest);
  append_part(text, std::to_string(scope.targets.size()));
  for (std::string_view target : scope.targets)
    append_part(text, target);
  for (const Field& field : fields_of(view, but)) {
    append_part(text, field.name);
    append_canonical(text, field.value);
  }
  return text;
}

Digest digest_of(std::initializer_list<std::string_view> parts) {
  const auto digest = policies::sha256(parts);
  if (!digest) throw std::bad_alloc();
  return *digest;
}

}  // namespace

Digest key_of(const KeyScope& scope, const wire::RequestView& view) {
  return digest_of({text_of(scope, view, {})});
}

InputKeys::InputKeys(const KeyScope& scope, const wire::RequestView& view)
    : start_(text_of(scope, view, "input")) {}

Digest InputKeys::of(std::string_view input) const {
  std::string text;
  append_part(text, "one input");
  append_canonical(text, input);
  return digest_of({start_, text});
}

}  // namespace tollgate::cache
