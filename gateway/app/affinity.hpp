// Affinity: what ties a call to others, so that they meet the prompt cache of one target.
// Pure; asked once a call where the model wants it, on the call's worker.
#pragma once
#include <cstdint>
#include <string_view>

#include "config/config.hpp"
#include "gateway/wire/dialect.hpp"

namespace tollgate::app {

/// Equal for calls that should go to the same target; 0: this call belongs to none. `prefix`: the
/// client's `prompt_cache_key`, else the messages up to the first of the user, which all turns of
/// a conversation begin with. `user`: the tenant's user.
[[nodiscard]] std::uint64_t affinity_of(const wire::RequestView& view, config::Affinity by,
                                        std::string_view tenant);

}  // namespace tollgate::app
