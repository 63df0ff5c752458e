// The parts that streams and whole replies of Anthropic share: usage, stop reasons, errors.
#include <algorithm>
#include <array>

#include "gateway/wire/json_shape.hpp"
#include "routing/providers/anthropic_decode.hpp"
#include "routing/providers/error_table.hpp"

namespace tollgate::routing::anthropic {
namespace {

using wire::JsonObject;
using wire::JsonView;

struct StopRow {
  std::string_view reason;
  FinishReason finish;
};
/// Everything else (end_turn, stop_sequence, pause_turn, compaction, what is to come) is a stop.
constexpr std::array stops{
    StopRow{"max_tokens", FinishReason::length},
    StopRow{"model_context_window_exceeded", FinishReason::length},
    StopRow{"tool_use", FinishReason::tool_calls},
    StopRow{"refusal", FinishReason::content_filter},
};

void overwrite(const JsonView& value, std::uint64_t& figure) {
  if (const auto count = value.count()) figure = *count;
}
void overwrite(const JsonView& value, std::uint32_t& figure) {
  const auto count = value.count();
  if (count) figure = static_cast<std::uint32_t>(std::min<std::uint64_t>(*count, UINT32_MAX));
}
void overwrite(const JsonView& value, TierName& tier) {
  if (value.is_string()) tier = TierName(value.string());
}

/// A spend limit that an operator has set does not pass by waiting; the same code with a delay is a
/// rate.
std::string quota_code(const JsonView& error, const HeaderFields& headers) {
  const std::string code = error["details"]["error_code"].string();
  const bool final = code == "enforced_spend_limit_reached" && !retry_after(headers);
  return final ? "organization_spend_limit_exceeded" : std::string();
}

}  // namespace

void read_usage(const JsonView& object, Usage& out) {
  const JsonObject usage(object);
  overwrite(usage["input_tokens"], out.input);
  overwrite(usage["cache_read_input_tokens"], out.cache_read);
  overwrite(usage["cache_creation_input_tokens"], out.cache_write);
  overwrite(usage["cache_creation"]["ephemeral_1h_input_tokens"], out.cache_write_1h);
  overwrite(usage["output_tokens"], out.output);
  overwrite(usage["output_tokens_details"]["thinking_tokens"], out.reasoning);
  const JsonView tools = usage["server_tool_use"];
  overwrite(tools["web_search_requests"], out.web_searches);
  overwrite(tools["web_fetch_requests"], out.web_fetches);
  overwrite(usage["service_tier"], out.service_tier);
  // Fast answers cost several times as much, whatever the tier.
  if (usage["speed"].string() == "fast") out.service_tier = TierName("fast");
}

UsageEvent usage_event(Usage usage) {
  usage.cache_write_1h = std::min(usage.cache_write_1h, usage.cache_write);
  usage.reasoning = std::min(usage.reasoning, usage.output);
  return {usage};
}

FinishReason finish_reason(std::string_view stop_reason) {
  const auto row = std::ranges::find(stops, stop_reason, &StopRow::reason);
  return row == stops.end() ? FinishReason::stop : row->finish;
}

Error read_error(int status, const HeaderFields& headers, std::string_view body) {
  ReportedError reported;
  std::string request_id;
  if (wire::JsonShape::read(body)) {
    const JsonView view(body.substr(body.find('{')));
    const JsonView error = view["error"];
    reported.type = error["type"].string();
    reported.message = error["message"].string();
    reported.code = quota_code(error, headers);
    request_id = view["request_id"].string();
  }
  if (reported.message.empty()) reported.message = plain_message(status, body);
  for (const auto& [name, value] : headers) {
    if (iequals(name, "request-id")) request_id = value;
  }
  Error mapped = map_upstream_error(status, headers, reported);
  if (request_id.empty()) return mapped;
  if (!mapped.detail.empty()) mapped.detail += "; ";
  mapped.detail += "request-id " + request_id;
  return mapped;
}

}  // namespace tollgate::routing::anthropic
