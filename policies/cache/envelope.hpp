// Envelope: how bytes look that leave this process for Redis: compressed with zstd and, where the
// operator gave keys, sealed with AES-256-GCM. What is opened was put there by somebody with the
// same keys, under the same name; anything else is as good as absent. Made with the plan;
// immutable, any thread.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::cache {

struct SealKey {
  std::string id;  ///< stands in the envelope, at most 255 bytes
  std::array<unsigned char, 32> bytes{};
};

class Envelope {
 public:
  /// The first key seals, all of them open. None: envelopes are not secret, but still whole, and
  /// bound to their name.
  explicit Envelope(std::vector<SealKey> keys = {}) : keys_(std::move(keys)) {}

  /// `bytes` as they are to be stored under `name`. Empty: it could not be made (no memory, no
  /// random numbers).
  [[nodiscard]] std::string seal(std::string_view name, std::string_view bytes) const;
  /// What was sealed under `name`. nullopt: damaged, another's, moved here from another name,
  /// sealed by an unknown key, or more than `bytes_max` when unpacked.
  [[nodiscard]] std::optional<std::string> open(std::string_view name, std::string_view sealed,
                                                std::size_t bytes_max) const;

 private:
  [[nodiscard]] const SealKey* find(std::string_view id) const;

  std::vector<SealKey> keys_;
};

}  // namespace tollgate::cache
