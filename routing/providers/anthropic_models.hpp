// What Anthropic's models can do, by generation: the one place that reads a model's name. A name
// that says no version, or a newer one than this table knows, is taken for the newest generation.
// Asked by the encode; pure, any thread.
#pragma once
#include <cstdint>
#include <string_view>

namespace tollgate::routing::anthropic {

struct ModelVersion {
  int major = 0, minor = 0;
  auto operator<=>(const ModelVersion&) const = default;
};

enum class Thinking : std::uint8_t {
  none,      ///< the field is an error
  budget,    ///< `enabled` with budget_tokens
  either,    ///< `adaptive`, and still `enabled`
  adaptive,  ///< `adaptive` only: `enabled` is an error
};

struct ModelTraits {
  std::int64_t max_output = 0;  ///< tokens; sent where the client gave no limit
  Thinking thinking = Thinking::none;
  bool sampling = true;               ///< takes temperature, top_p, top_k
  bool effort_xhigh = false;          ///< knows the effort `xhigh`
  bool thinks_unasked = false;        ///< thinking is on unless `disabled` is sent
  bool disabled_caps_effort = false;  ///< `disabled` is an error beside effort xhigh and max
  bool schema_output = true;          ///< output_config.format; older ones need a forced tool
  bool prefill = false;               ///< a last assistant message is continued
};

/// The version in a model name of any host ("claude-3-5-haiku-latest",
/// "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-opus-4@20250514", "claude-sonnet-4.5");
/// 0.0 where there is none.
[[nodiscard]] ModelVersion model_version(std::string_view model);

[[nodiscard]] const ModelTraits& model_traits(std::string_view model);

}  // namespace tollgate::routing::anthropic
