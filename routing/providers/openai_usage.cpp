#include "routing/providers/openai_usage.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>

#include "routing/providers/openai_json.hpp"

namespace tollgate::routing::openai {
namespace {

/// The first of several places that holds a count.
std::uint64_t first_of(std::initializer_list<std::string_view> places) {
  for (std::string_view place : places) {
    if (const auto value = count(place)) return *value;
  }
  return 0;
}

std::uint32_t clamp_count(std::uint64_t count) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(count, UINT32_MAX));
}

constexpr std::array usage_parts{
    Part<UsageText>{"prompt_tokens", &UsageText::prompt},
    Part<UsageText>{"completion_tokens", &UsageText::completion},
    Part<UsageText>{"total_tokens", &UsageText::total},
    Part<UsageText>{"prompt_cache_hit_tokens", &UsageText::deepseek_hit},
    Part<UsageText>{"num_cached_tokens", &UsageText::mistral_cached},
    Part<UsageText>{"cached_tokens", &UsageText::together_cached},
    Part<UsageText>{"reasoning_tokens", &UsageText::reasoning},
    Part<UsageText>{"num_search_queries", &UsageText::queries},
    Part<UsageText>{"num_sources_used", &UsageText::sources},
};

using Prompt = UsageText::Prompt;
constexpr std::array prompt_parts{
    Part<Prompt>{"cached_tokens", &Prompt::cached},
    Part<Prompt>{"cache_write_tokens", &Prompt::written},
    Part<Prompt>{"audio_tokens", &Prompt::audio},
};

using Completion = UsageText::Completion;
constexpr std::array completion_parts{
    Part<Completion>{"reasoning_tokens", &Completion::reasoning},
    Part<Completion>{"audio_tokens", &Completion::audio},
    Part<Completion>{"image_tokens", &Completion::pictures},
};

constexpr std::array tool_parts{
    Part<UsageText::Tools>{"web_search_requests", &UsageText::Tools::searches}};

/// A member that should be an object with parts of its own. Of two with one name the last counts;
/// null is none.
template <class Object, std::size_t N>
bool take_details(wire::JsonScanner& scan, const std::array<Part<Object>, N>& parts, Object& out) {
  if (scan.stands_at('n')) return scan.value();
  out = {};
  if (!scan.stands_at('{')) return scan.value();
  return wire::scan_object(scan,
                           [&](std::string_view name) { return take(scan, name, parts, out); });
}

}  // namespace

bool UsageText::take(wire::JsonScanner& scan) {
  *this = {};
  return wire::scan_object(scan, [&](std::string_view name) {
    if (name == "prompt_tokens_details") return take_details(scan, prompt_parts, of_prompt);
    if (name == "completion_tokens_details") {
      return take_details(scan, completion_parts, of_completion);
    }
    if (name == "server_tool_use" || name == "server_tool_use_details") {
      return take_details(scan, tool_parts, tools);
    }
    return openai::take(scan, name, usage_parts, *this);
  });
}

std::optional<Usage> read_usage(std::string_view json) {
  if (!json.starts_with('{')) return std::nullopt;
  UsageText text;
  wire::JsonScanner scan(json, depth_max);
  return text.take(scan) ? read_usage(text) : std::nullopt;
}

std::optional<Usage> read_usage(const UsageText& text) {
  const auto said_prompt = count(text.prompt), said_total = count(text.total),
             said_completion = count(text.completion);
  if (!said_prompt && !said_total && !said_completion) return std::nullopt;
  // Said, but no count of tokens: what stands beside it cannot be trusted either.
  const bool broken = (!said_prompt && !text.prompt.empty()) ||
                      (!said_total && !text.total.empty()) ||
                      (!said_completion && !text.completion.empty());
  if (broken) return std::nullopt;

  const UsageText::Prompt& prompt = text.of_prompt;
  const UsageText::Completion& completion = text.of_completion;
  Usage usage;
  usage.output = said_completion.value_or(0);
  const std::uint64_t all = said_total.value_or(0);
  const std::uint64_t input = said_prompt ? *said_prompt : all - std::min(all, usage.output);
  // Some report more cached tokens than the prompt has: nothing may be counted twice.
  usage.cache_read = std::min(input, first_of({prompt.cached, text.deepseek_hit,
                                               text.mistral_cached, text.together_cached}));
  usage.cache_write = std::min(input - usage.cache_read, first_of({prompt.written}));
  usage.input = input - usage.cache_read - usage.cache_write;
  const std::uint64_t thought = first_of({completion.reasoning, text.reasoning});
  // xAI leaves reasoning out of the completion on this surface; the total says who does.
  const bool beside = said_prompt && thought > 0 && thought <= all && input <= all - thought &&
                      usage.output == all - thought - input;
  if (beside) usage.output += thought;
  usage.reasoning = std::min(usage.output, thought);
  usage.audio_input = std::min(input, first_of({prompt.audio}));
  usage.audio_output = std::min(usage.output, first_of({completion.audio}));
  usage.image_output = std::min(usage.output, first_of({completion.pictures}));
  usage.web_searches = clamp_count(first_of({text.queries, text.sources, text.tools.searches}));
  return usage;
}

}  // namespace tollgate::routing::openai
