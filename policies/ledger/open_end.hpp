// OpenEnd: the end of a string that is being written value by value. Room is asked for once a value
// and is not blanked first. What archives and packed rows are made of; pure.
#pragma once
#include <cstddef>
#include <string>

namespace tollgate::ledger {

/// The string is whole once this is gone.
class OpenEnd {
 public:
  OpenEnd(const OpenEnd&) = delete;
  OpenEnd& operator=(const OpenEnd&) = delete;

 protected:
  explicit OpenEnd(std::string& out) : out_(out) { make_room(out.size(), 0); }
  ~OpenEnd() { close(); }

  [[nodiscard]] std::size_t used() const { return static_cast<std::size_t>(at_ - out_.data()); }
  /// For a text of this size and one number or word beside it.
  void room_for(std::size_t more) {
    if (static_cast<std::size_t>(end_ - at_) < more + beside) make_room(used(), more);
  }
  /// As long as others write to the string.
  void close() { out_.resize(used()); }
  void open() { make_room(out_.size(), 0); }

  std::string& out_;
  char* at_ = nullptr;

 private:
  static constexpr std::size_t usual = 1024, beside = 28;

  void make_room(std::size_t used, std::size_t more) {
    out_.resize_and_overwrite(used + more + beside + usual,
                              [](char*, std::size_t size) { return size; });
    at_ = out_.data() + used;
    end_ = out_.data() + out_.size();
  }

  char* end_ = nullptr;
};

}  // namespace tollgate::ledger
