// Small values of a Gemini reply: counts, log probabilities, times.
#include <algorithm>
#include <charconv>
#include <chrono>

#include "gateway/wire/json_writer.hpp"
#include "routing/providers/gemini_reply.hpp"

namespace tollgate::routing::gemini {
namespace {

using wire::JsonView;

bool take(const JsonView& metadata, std::string_view name, std::uint64_t& into) {
  const auto count = metadata[name].count();
  if (!count) return false;
  into = *count;
  return true;
}

/// The row of one modality, in quotes, of a `...TokensDetails` list.
void take_modality(const JsonView& details, std::string_view modality, std::uint64_t& into) {
  for (const JsonView& row : details.items()) {
    if (row["modality"].text() == modality) take(row, "tokenCount", into);
  }
}

/// AI Studio names a tier; Vertex AI a kind of traffic, which implies one.
void take_tier(const JsonView& metadata, TierName& into) {
  std::string name = metadata["serviceTier"].string();
  if (name.empty()) name = metadata["trafficType"].string();
  constexpr std::string_view on_demand = "ON_DEMAND";
  if (name == on_demand) name = "default";
  if (name.starts_with(on_demand)) name.erase(0, on_demand.size() + 1);
  std::ranges::transform(name, name.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (!name.empty()) into = TierName(name);
}

void write_token(wire::JsonWriter& w, const JsonView& candidate) {
  const std::string token = candidate["token"].string();
  const auto probability = candidate["logProbability"];
  w.member("token", token).key("logprob");
  probability ? w.raw(probability.text()) : w.value(0);
  w.key("bytes").begin_array();
  for (char byte : token)
    w.value(static_cast<int>(static_cast<unsigned char>(byte)));
  w.end_array();
}

/// A number of exactly these digits, or -1.
int digits(std::string_view text) {
  int value = 0;
  const auto end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && stop == end && value >= 0 ? value : -1;
}

}  // namespace

bool Counts::update(const JsonView& metadata) {
  bool told = take(metadata, "promptTokenCount", prompt);
  told |= take(metadata, "cachedContentTokenCount", cached);
  told |= take(metadata, "toolUsePromptTokenCount", tool_prompt);
  told |= take(metadata, "candidatesTokenCount", candidates);
  told |= take(metadata, "thoughtsTokenCount", thoughts);
  take_modality(metadata["promptTokensDetails"], "\"AUDIO\"", audio_prompt);
  take_modality(metadata["candidatesTokensDetails"], "\"AUDIO\"", audio_candidates);
  take_modality(metadata["candidatesTokensDetails"], "\"IMAGE\"", image_candidates);
  take_tier(metadata, tier);
  return told;
}

Usage Counts::usage() const {
  Usage usage;
  const std::uint64_t all_input = prompt + tool_prompt;
  usage.cache_read = std::min(cached, all_input);
  usage.input = all_input - usage.cache_read;
  usage.output = candidates + thoughts;
  usage.reasoning = thoughts;
  usage.audio_input = std::min(audio_prompt, all_input);
  usage.audio_output = std::min(audio_candidates, usage.output);
  usage.image_output = std::min(image_candidates, usage.output);
  usage.images = images;
  usage.web_searches = search_per_prompt ? std::min(searches, 1U) : searches;
  usage.service_tier = tier;
  return usage;
}

std::string logprobs_json(const JsonView& result) {
  std::string out;
  wire::JsonWriter w(out);
  const auto top = result["topCandidates"].items();
  std::size_t position = 0;
  w.begin_object().key("content").begin_array();
  for (const JsonView& chosen : result["chosenCandidates"].items()) {
    w.begin_object();
    write_token(w, chosen);
    w.key("top_logprobs").begin_array();
    if (position < top.size()) {
      for (const JsonView& other : top[position]["candidates"].items()) {
        w.begin_object();
        write_token(w, other);
        w.end_object();
      }
    }
    w.end_array().end_object();
    ++position;
  }
  w.end_array().key("refusal").null().end_object();
  return out;
}

std::int64_t unix_seconds(std::string_view text) {
  using namespace std::chrono;
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' || text[10] != 'T') return 0;
  const int y = digits(text.substr(0, 4)), mo = digits(text.substr(5, 2));
  const int d = digits(text.substr(8, 2)), h = digits(text.substr(11, 2));
  const int mi = digits(text.substr(14, 2)), s = digits(text.substr(17, 2));
  if (y < 0 || mo < 1 || d < 1 || h < 0 || mi < 0 || s < 0) return 0;
  const year_month_day date{year(y), month(static_cast<unsigned>(mo)),
                            day(static_cast<unsigned>(d))};
  if (!date.ok()) return 0;
  const auto at = sys_days(date) + hours(h) + minutes(mi) + seconds(s);
  return duration_cast<seconds>(at.time_since_epoch()).count();
}

}  // namespace tollgate::routing::gemini
