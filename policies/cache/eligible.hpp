// Which calls the cache is for: what the client asked of it (`Cache-Control`), what the operator
// set (`when`), and what must never be answered twice from one reply. Pure; asked once a call.
#pragma once
#include <chrono>
#include <optional>
#include <string_view>

#include "config/config.hpp"
#include "gateway/wire/dialect.hpp"

namespace tollgate::cache {

/// A request's `Cache-Control`.
struct Wish {
  bool no_cache = false;        ///< ask the provider, keep the reply
  bool no_store = false;        ///< neither look nor keep
  bool only_if_cached = false;  ///< a stored reply or 504
  std::optional<std::chrono::seconds> max_age;
};

/// Reads the header's directives; what is unknown or malformed does not count.
[[nodiscard]] Wish parse_wish(std::string_view cache_control);
/// Adds those of one more such header to `wish`; of two ages the shorter one holds.
void add_wish(std::string_view cache_control, Wish& wish);

/// True for a request whose answer may be stored and given again: `when` admits it, one choice is
/// asked for, nothing is stored or done at the provider's on the way (`store`, hosted tools).
[[nodiscard]] bool is_eligible(const wire::RequestView& view, config::CacheWhen when,
                               const Wish& wish);

}  // namespace tollgate::cache
