// The contract's keys and values that this build does not have yet: known, so that they are refused
// with a clear sentence and never silently accepted. Called by the reader and by tests.
#pragma once
#include <span>
#include <string_view>

namespace tollgate::config {

struct NotSupported {
  std::string_view section;  ///< as section_of (fields.hpp) names it
  std::string_view key;
};
[[nodiscard]] std::span<const NotSupported> not_supported_keys();
[[nodiscard]] bool is_not_supported(std::string_view section, std::string_view key);
/// A provider kind of the contract; whether this build has it, only its registry knows.
[[nodiscard]] bool is_contract_kind(std::string_view kind);

}  // namespace tollgate::config
