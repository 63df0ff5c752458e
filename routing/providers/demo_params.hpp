// How a demo model's name steers it: `demo,rate=5,die_after=10`. Pure.
#pragma once
#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>

namespace tollgate::routing::demo {

struct Params {
  double rate = 50;  ///< words a second
  std::chrono::microseconds delay{0};
  std::size_t words = 40;
  bool words_given = false;
  int status = 200;
  std::optional<std::size_t> die_after;  ///< words until the connection dies
};

/// Nothing when a part is unknown or its value is out of range: there is no such model.
[[nodiscard]] std::optional<Params> read_params(std::string_view model);

}  // namespace tollgate::routing::demo
