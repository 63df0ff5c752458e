#include "routing/providers/openai_usage.hpp"

#include <algorithm>
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

/// Said, but no count of tokens: what stands beside it cannot be trusted either.
bool is_broken(std::string_view value) {
  return !value.empty() && value != "null" && !count(value);
}

std::uint32_t clamp_count(std::uint64_t count) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(count, UINT32_MAX));
}

}  // namespace

std::optional<Usage> read_usage(std::string_view json) {
  std::string_view prompt, completion, total, prompt_details, completion_details;
  std::string_view deepseek_hit, mistral_cached, together_cached, top_reasoning;
  std::string_view queries, sources, server_tools;
  pick(json, {{"prompt_tokens", prompt},
              {"completion_tokens", completion},
              {"total_tokens", total},
              {"prompt_tokens_details", prompt_details},
              {"completion_tokens_details", completion_details},
              {"prompt_cache_hit_tokens", deepseek_hit},
              {"num_cached_tokens", mistral_cached},
              {"cached_tokens", together_cached},
              {"reasoning_tokens", top_reasoning},
              {"num_search_queries", queries},
              {"num_sources_used", sources},
              {"server_tool_use", server_tools},
              {"server_tool_use_details", server_tools}});
  const auto said_prompt = count(prompt), said_total = count(total);
  if (!said_prompt && !said_total && !count(completion)) return std::nullopt;
  if (is_broken(prompt) || is_broken(total) || is_broken(completion)) return std::nullopt;
  std::string_view cached, written, audio_in, audio_out, reasoning, pictures, searches;
  pick(prompt_details,
       {{"cached_tokens", cached}, {"cache_write_tokens", written}, {"audio_tokens", audio_in}});
  pick(completion_details,
       {{"reasoning_tokens", reasoning}, {"audio_tokens", audio_out}, {"image_tokens", pictures}});
  pick(server_tools, {{"web_search_requests", searches}});

  Usage usage;
  usage.output = first_of({completion});
  const std::uint64_t all = said_total.value_or(0);
  const std::uint64_t input = said_prompt ? *said_prompt : all - std::min(all, usage.output);
  // Some report more cached tokens than the prompt has: nothing may be counted twice.
  usage.cache_read =
      std::min(input, first_of({cached, deepseek_hit, mistral_cached, together_cached}));
  usage.cache_write = std::min(input - usage.cache_read, first_of({written}));
  usage.input = input - usage.cache_read - usage.cache_write;
  const std::uint64_t thought = first_of({reasoning, top_reasoning});
  // xAI leaves reasoning out of the completion on this surface; the total says who does.
  const bool beside = said_prompt && thought > 0 && thought <= all && input <= all - thought &&
                      usage.output == all - thought - input;
  if (beside) usage.output += thought;
  usage.reasoning = std::min(usage.output, thought);
  usage.audio_input = std::min(input, first_of({audio_in}));
  usage.audio_output = std::min(usage.output, first_of({audio_out}));
  usage.image_output = std::min(usage.output, first_of({pictures}));
  usage.web_searches = clamp_count(first_of({queries, sources, searches}));
  return usage;
}

}  // namespace tollgate::routing::openai
