// KnownKeys: which key a secret was found to be, so that a client's next request costs no SHA-256.
// No secret is held: a secret is known by its SipHash under a random key that never leaves the
// process (128 bits, which nobody can aim at). Owned by a worker's front, on its thread.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

#include "policies/keys.hpp"
#include "policies/plan_mark.hpp"

namespace tollgate::policies {

/// SipHash-2-4 with 128 bits (Aumasson and Bernstein).
struct Tag {
  std::uint64_t low = 0, high = 0;
  bool operator==(const Tag&) const = default;
};
[[nodiscard]] Tag sip_hash(const Tag& key, std::string_view text);

class KnownKeys {
 public:
  KnownKeys();
  /// Every key was found under `plan`; under another all are forgotten.
  template <class Plan>
  void under(const std::shared_ptr<Plan>& plan) {
    if (plan_.moves_to(plan)) forget();
  }
  /// As `keys.find`. `keys` is the table of all calls since the last `forget`.
  [[nodiscard]] const Key* find(const KeyTable& keys, std::string_view secret, SystemTime now);
  /// The table is another one.
  void forget() { places_ = {}; }

 private:
  struct Place {
    Tag tag;
    const Key* key = nullptr;
  };
  PlanMark plan_;
  Tag secret_;
  std::array<Place, 256> places_;
};

}  // namespace tollgate::policies
