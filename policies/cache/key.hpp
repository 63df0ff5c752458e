// Cache keys: SHA-256 over everything that decides an answer: whose it is, where it was asked, of
// which model at which places, and every field of the request but those that cannot change what the
// model says. Pure; asked on the call's worker, once a call that may be answered from the cache.
#pragma once
#include <span>
#include <string>
#include <string_view>

#include "gateway/wire/dialect.hpp"
#include "policies/digest.hpp"

namespace tollgate::cache {

using policies::Digest;

/// Beside the request's own fields.
struct KeyScope {
  std::string_view tenant;                    ///< whose answers these are
  bool shared = false;                        ///< everybody's who shares: the tenant does not count
  std::string_view model;                     ///< as configured
  std::string_view rest;                      ///< what a wildcard stood for
  std::span<const std::string_view> targets;  ///< provider, place, model of each, in order
};

/// The key of a request. Defaults that the view was given count as if the client had sent them.
[[nodiscard]] Digest key_of(const KeyScope& scope, const wire::RequestView& view);

/// The keys of the inputs of an embeddings request, each by itself.
class InputKeys {
 public:
  InputKeys(const KeyScope& scope, const wire::RequestView& view);
  /// `input` is JSON.
  [[nodiscard]] Digest of(std::string_view input) const;

 private:
  std::string start_;  // what all of them share
};

/// True for a top-level request field that cannot change the answer (`user`, `stream`, ...).
[[nodiscard]] bool is_beside_the_answer(std::string_view field);

}  // namespace tollgate::cache
