// generationConfig: sampling, limits, output form.
#include <algorithm>
#include <array>
#include <limits>

#include "gateway/wire/json_shape.hpp"
#include "routing/providers/gemini_request.hpp"
#include "routing/providers/gemini_schema.hpp"

namespace tollgate::routing::gemini {
namespace {

using Kind = ResponseFormat::Kind;
using Int32 = std::numeric_limits<std::int32_t>;

/// Numbers out of a parameter's range are cut to it.
void write_sampling(Draft& draft) {
  const ChatRequest& r = draft.request;
  struct Row {
    std::string_view name;
    const std::optional<double>& value;
    double low, high;
  };
  const std::array rows{Row{"temperature", r.temperature, 0, 2}, Row{"topP", r.top_p, 0, 1},
                        Row{"frequencyPenalty", r.frequency_penalty, -2, 2},
                        Row{"presencePenalty", r.presence_penalty, -2, 2}};
  for (const Row& row : rows) {
    if (row.value) draft.json.member(row.name, std::clamp(*row.value, row.low, row.high));
  }
  if (r.top_k) draft.json.member("topK", std::clamp<std::int64_t>(*r.top_k, 1, Int32::max()));
}

void write_limits(Draft& draft) {
  const ChatRequest& r = draft.request;
  if (r.max_tokens) {
    draft.json.member("maxOutputTokens", std::min<std::int64_t>(*r.max_tokens, Int32::max()));
  }
  if (r.n && *r.n != 1) draft.json.member("candidateCount", *r.n);
  if (r.seed) {
    if (*r.seed >= Int32::min() && *r.seed <= Int32::max()) {
      draft.json.member("seed", *r.seed);
    } else {
      draft.drop("seed");
    }
  }
}

void write_stop(Draft& draft) {
  constexpr std::size_t sequences_max = 5;
  std::vector<std::string_view> sequences;
  for (const std::string& stop : draft.request.stop) {
    if (!stop.empty()) sequences.push_back(stop);
  }
  if (sequences.empty()) return;
  if (sequences.size() > sequences_max) {
    sequences.resize(sequences_max);
    draft.drop("stop");
  }
  draft.json.key("stopSequences").begin_array();
  for (std::string_view stop : sequences)
    draft.json.value(stop);
  draft.json.end_array();
}

void write_logprobs(Draft& draft) {
  if (!draft.request.logprobs.value_or(false)) return;
  draft.json.member("responseLogprobs", true);
  const std::int64_t top = draft.request.top_logprobs.value_or(0);
  if (top > 0) draft.json.member("logprobs", std::min<std::int64_t>(top, 20));
}

Result<void> write_schema(Draft& draft) {
  const ResponseFormat& format = draft.request.response_format;
  if (format.kind != Kind::json_schema || format.schema_json.empty()) return {};
  constexpr std::string_view param = "response_format.json_schema.schema";
  const auto schema = draft.traits.json_schema ? json_schema(format.schema_json, param)
                                               : clean_schema(format.schema_json, param);
  if (!schema) return std::unexpected(schema.error());
  draft.json.raw_member(draft.traits.json_schema ? "responseJsonSchema" : "responseSchema",
                        *schema);
  return {};
}

Result<void> write_response_format(Draft& draft) {
  const ResponseFormat& format = draft.request.response_format;
  if (format.kind == Kind::unset || format.kind == Kind::text) return {};
  // Before Gemini 3 a JSON type beside tools is a 400: the tools are worth more.
  if (!draft.request.tools.empty() && !draft.traits.tools_with_json) {
    draft.drop("response_format");
    return {};
  }
  draft.json.member("responseMimeType", "application/json");
  return write_schema(draft);
}

Result<void> write_modalities(Draft& draft) {
  struct Row {
    std::string_view openai, gemini;
  };
  constexpr std::array rows{Row{"text", "TEXT"}, Row{"image", "IMAGE"}, Row{"audio", "AUDIO"}};
  const auto& asked = draft.request.modalities;
  if (asked.empty() || (asked.size() == 1 && asked.front() == "text")) return {};
  draft.json.key("responseModalities").begin_array();
  for (const std::string& modality : asked) {
    const auto row = std::ranges::find(rows, modality, &Row::openai);
    if (row == rows.end()) {
      return fail(ErrorKind::unsupported_parameter, "Gemini answers with text, image or audio",
                  "modalities");
    }
    draft.json.value(row->gemini);
  }
  draft.json.end_array();
  return {};
}

/// The voice of an audio answer. Its format is not ours to choose: Gemini sends 24 kHz PCM.
void write_speech(Draft& draft) {
  if (draft.request.audio_json.empty()) return;
  const auto shape = wire::JsonShape::read(draft.request.audio_json);
  const wire::JsonField* voice = shape ? shape->find("voice") : nullptr;
  const auto name = voice ? wire::json_string(voice->value) : std::nullopt;
  const wire::JsonField* format = shape ? shape->find("format") : nullptr;
  if (!name || (format && format->value != "\"pcm16\"")) draft.drop("audio");
  if (!name) return;
  draft.json.key("speechConfig").begin_object().key("voiceConfig").begin_object();
  draft.json.key("prebuiltVoiceConfig").begin_object().member("voiceName", *name);
  draft.json.end_object().end_object().end_object();
}

}  // namespace

Result<void> write_generation_config(Draft& draft) {
  Draft inner(draft.request, draft.traits);
  inner.json.begin_object();
  write_sampling(inner);
  write_limits(inner);
  write_stop(inner);
  write_logprobs(inner);
  if (auto written = write_response_format(inner); !written) return written;
  if (auto written = write_modalities(inner); !written) return written;
  write_speech(inner);
  write_thinking(inner);
  inner.json.end_object();
  for (const std::string& name : inner.dropped)
    draft.drop(name);
  if (inner.out != "{}") draft.json.raw_member("generationConfig", inner.out);
  return {};
}

}  // namespace tollgate::routing::gemini
