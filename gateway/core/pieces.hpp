// Pieces: a byte sequence as views and owned strings, for one writev without a copy.
// Used for request bodies (the client's bytes with `model` spliced) and for rendered replies.
#pragma once
#include <cstddef>
#include <forward_list>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate {

class Pieces {
 public:
  /// Adds bytes that somebody else keeps alive.
  void view(std::string_view bytes);
  /// Adds bytes that this object keeps.
  void own(std::string bytes);
  void clear();

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] const std::vector<std::string_view>& parts() const { return parts_; }
  [[nodiscard]] std::string joined() const;

 private:
  std::vector<std::string_view> parts_;
  std::forward_list<std::string> owned_;  // nodes never move, so views into them stay true
  std::size_t size_ = 0;
};

}  // namespace tollgate
