// What is known of hosts, kinds of providers and names of models without asking anybody. Asked by
// bounds and settlement, when a plan is built or on a call's worker; pure functions over closed
// tables.
#pragma once
#include <string_view>

namespace tollgate::policies {

/// M3: true where `host` is one of the table of known providers.
[[nodiscard]] bool known_host(std::string_view host);

/// M9: reasons before it answers, so that a cut reply may be an empty one.
[[nodiscard]] bool is_reasoning_model(std::string_view model);

/// M4: its reasoning is not within the output limit that was asked for.
[[nodiscard]] bool reasons_outside_limit(std::string_view model);

/// M5: searches the web on its own, without a tool that asks for it.
[[nodiscard]] bool searches_by_itself(std::string_view model);

/// M11: providers of this kind are known to stop, and to stop billing, once the connection closes.
[[nodiscard]] bool stops_billing_on_close(std::string_view kind);
/// Whether the provider bills the input of a request that it gave up with a 408, as Azure does,
/// also where it is called by OpenAI's dialect.
[[nodiscard]] bool bills_timeouts(std::string_view kind, std::string_view host);

/// M6: `named`, of a reply, is what `asked` stands for: the same name but for a provider's prefix,
/// `-latest` or the date of a snapshot. Two dates are two models.
[[nodiscard]] bool same_model(std::string_view asked, std::string_view named);

/// A model's name without the prefixes of providers: what stands behind its last `/`.
[[nodiscard]] std::string_view bare_model(std::string_view model);

}  // namespace tollgate::policies
