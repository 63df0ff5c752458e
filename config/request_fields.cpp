#include "config/request_fields.hpp"

#include <algorithm>

namespace tollgate::config {
namespace {

constexpr std::string_view fields[] = {
    // chat completions, completions, embeddings
    "audio", "best_of", "dimensions", "echo", "encoding_format", "frequency_penalty",
    "function_call", "functions", "logit_bias", "logprobs", "max_completion_tokens", "max_tokens",
    "metadata", "modalities", "moderation", "n", "parallel_tool_calls", "prediction",
    "presence_penalty", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention",
    "reasoning_effort", "response_format", "safety_identifier", "seed", "service_tier", "stop",
    "store", "suffix", "temperature", "tool_choice", "tools", "top_logprobs", "top_p", "user",
    "verbosity", "web_search_options",
    // extensions of the hub and of compatible servers
    "cache_control", "cache_prompt", "chat_template_kwargs", "context_management",
    "enable_thinking", "extra_body", "grammar", "guided_choice", "guided_decoding_backend",
    "guided_grammar", "guided_json", "guided_regex", "ignore_eos", "include_reasoning",
    "input_type", "keep_alive", "length_penalty", "mcp_servers", "min_p", "min_tokens", "mirostat",
    "mirostat_eta", "mirostat_tau", "output_config", "priority", "random_seed", "reasoning",
    "reasoning_format", "reasoning_split", "repeat_penalty", "repetition_penalty", "safe_prompt",
    "safety_settings", "search_parameters", "skip_special_tokens", "stop_sequences",
    "stop_token_ids", "structured_outputs", "system", "thinking", "thinking_budget", "top_a",
    "top_k", "truncate_prompt_tokens", "truncation", "typical_p", "use_beam_search"};

constexpr std::string_view clients_own[] = {"model", "messages", "prompt",
                                            "input", "stream",   "stream_options"};

bool holds(const auto& list, std::string_view name) {
  return std::find(std::begin(list), std::end(list), name) != std::end(list);
}

}  // namespace

bool is_request_field(std::string_view name) { return holds(fields, name); }
bool is_clients_own_field(std::string_view name) { return holds(clients_own, name); }
std::vector<std::string_view> request_fields() { return {std::begin(fields), std::end(fields)}; }

}  // namespace tollgate::config
