// Bodies of GET /v1/models and /v1/models/{id} in OpenAI's shape. Called by the app; pure.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tollgate::wire {

/// `created`: Unix seconds, for all of them; names come out in the order given.
[[nodiscard]] std::string render_models(std::span<const std::string> names, std::int64_t created);
[[nodiscard]] std::string render_model(std::string_view name, std::int64_t created);

}  // namespace tollgate::wire
