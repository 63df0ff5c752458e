// Prefill: which models go on with the text of a last message of the assistant's own. The others
// take it for a finished answer, or refuse it. Asked when a stream is continued, on any thread.
#pragma once
#include <string_view>

namespace tollgate::routing {

/// Of that provider kind; `model` is the provider's name for it. Does not hold for a request that
/// asks the model to reason.
[[nodiscard]] bool takes_prefill(std::string_view kind, std::string_view model);

}  // namespace tollgate::routing
