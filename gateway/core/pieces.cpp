#include "gateway/core/pieces.hpp"

namespace tollgate {

void Pieces::view(std::string_view bytes) {
  if (bytes.empty()) return;
  if (parts_.empty()) parts_.reserve(8);
  parts_.push_back(bytes);
  size_ += bytes.size();
}

void Pieces::own(std::string bytes) {
  if (bytes.empty()) return;
  owned_.push_front(std::move(bytes));
  view(owned_.front());
}

void Pieces::clear() {
  parts_.clear();
  owned_.clear();
  size_ = 0;
}

std::string Pieces::joined() const {
  std::string all;
  all.reserve(size_);
  for (std::string_view part : parts_)
    all += part;
  return all;
}

}  // namespace tollgate
