// The one judgement of a provider's failure: status first, then the structured code, text only for
// the few cases that have nothing else. Every provider decoder reads its own JSON into a
// ReportedError and asks here. Pure; any thread.
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/core/error.hpp"
#include "gateway/core/http.hpp"

namespace tollgate::routing {

/// What a provider said, unescaped, as far as it said it. Empty: not given.
struct ReportedError {
  std::string code;     ///< its structured code or reason; numbers as text
  std::string type;     ///< `error.type`, or Google's `status` (RESOURCE_EXHAUSTED)
  std::string message;  ///< as the provider wrote it; masked here
  std::string param;
  bool content_filtered = false;  ///< the provider's structure says: moderation, not the key
  std::optional<std::chrono::milliseconds> retry_after;  ///< out of the body (RetryInfo)
};

/// Judges a failure. `status` is the HTTP status, or for an error inside a 200 the status that its
/// own code names; 0 there means: find it by code and type (else 502). Headers are asked for retry
/// hints and `date`.
[[nodiscard]] Error map_upstream_error(int status, const HeaderFields& headers,
                                       const ReportedError& reported);

/// The delay that reply headers ask for: the larger of `retry-after-ms` and `retry-after` (int,
/// float, or an HTTP date relative to `date`); negative becomes 0, capped at a day.
[[nodiscard]] std::optional<std::chrono::milliseconds> retry_after(const HeaderFields& headers);

/// Where no delay is asked for: how long until the limits that are used up (`remaining` 0) are
/// whole again, by the reset headers of OpenAI's and Anthropic's families; times count from `date`.
[[nodiscard]] std::optional<std::chrono::milliseconds> reset_wait(const HeaderFields& headers);
/// "Wed, 21 Oct 2015 07:28:00 GMT", the only form that servers may send today.
[[nodiscard]] std::optional<std::chrono::sys_seconds> http_date(std::string_view text);

/// A duration as providers write it in bodies and headers: `12`, `1.5`, `46s`, `46.2s`, `12ms`,
/// `6m0s`. Plain numbers are seconds.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_delay(std::string_view text);

/// `text` with everything that looks like a key (sk-..., AIza..., Bearer ..., key=...) replaced.
[[nodiscard]] std::string mask_secrets(std::string_view text);

/// A body that is no JSON error, as a message: short plain text stays, pages and bytes do not.
[[nodiscard]] std::string plain_message(int status, std::string_view body);

}  // namespace tollgate::routing
