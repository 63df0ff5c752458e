// KeyMemo: cache keys of requests that came before, the same letter by letter. Working out a key
// reads the whole request and puts it in order; to tell that it is known takes a fraction of that.
// Requests are told apart by a universal hash (Poly1305) under a secret of this object: nobody can
// make two that it takes for one. One object a worker; its thread.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "policies/digest.hpp"
#include "policies/plan_mark.hpp"

namespace tollgate::cache {

class KeyMemo {
 public:
  using Tag = std::array<unsigned char, 16>;

  KeyMemo();
  ~KeyMemo();
  KeyMemo(const KeyMemo&) = delete;
  KeyMemo& operator=(const KeyMemo&) = delete;

  /// Every key was worked out under `plan`; under another all are forgotten.
  template <class Plan>
  void under(const std::shared_ptr<Plan>& plan) {
    if (plan_.moves_to(plan)) forget();
  }
  /// All that decides a key under one plan; what is pointed at belongs to the plan.
  struct Request {
    const void* tenant = nullptr;
    const void* route = nullptr;
    std::uint64_t endpoint = 0;
    std::string_view rest;  ///< what a wildcard stood for
    std::string_view body;
  };
  /// nullopt: there is no such hash here.
  [[nodiscard]] std::optional<Tag> tag_of(const Request& request);
  /// nullptr: not known, or no longer.
  [[nodiscard]] const policies::Digest* find(const Tag& tag) const;
  void put(const Tag& tag, const policies::Digest& key);

 private:
  struct Entry {
    Tag tag{};
    policies::Digest key{};
    bool used = false;
  };
  class Hash;
  static std::size_t place_of(const Tag& tag);
  void forget();

  std::unique_ptr<Hash> hash_;
  policies::PlanMark plan_;
  std::vector<Entry> entries_;  // empty as long as nothing is known
};

}  // namespace tollgate::cache
