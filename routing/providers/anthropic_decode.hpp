// Replies of the Messages API as events: streams, whole replies and errors. Shared by the
// anthropic_*.cpp files of the reply side; other hosts of the same dialect may use it. Pure.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "gateway/wire/json_view.hpp"
#include "routing/provider.hpp"

namespace tollgate::routing::anthropic {

[[nodiscard]] std::unique_ptr<ReplyDecoder> make_decoder(const ResponseHead& head,
                                                         const DecodeHints& hints);

/// Overwrites what `usage` names: Anthropic's figures are cumulative, the last one holds, and a
/// figure that is left out is still the earlier one.
void read_usage(const wire::JsonView& usage, Usage& out);
/// The figures so far as an event: shares are no larger than their whole.
[[nodiscard]] UsageEvent usage_event(Usage usage);

[[nodiscard]] FinishReason finish_reason(std::string_view stop_reason);

/// The Error of a body `{type:error,error{type,message},request_id}`; `status` 0 for one inside a
/// 200, which is judged by its type.
[[nodiscard]] Error read_error(int status, const HeaderFields& headers, std::string_view body);

}  // namespace tollgate::routing::anthropic
