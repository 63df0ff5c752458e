#include "gateway/net/body_buffer.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace tollgate::net {
namespace {

// A claimed length costs nothing until bytes come: no more than this is set aside at first.
constexpr std::size_t first_bytes_max = 256 * 1024;
constexpr std::size_t first_bytes_min = 16 * 1024;

}  // namespace

void BodyBuffer::Free::operator()(char* memory) const noexcept { std::free(memory); }

bool BodyBuffer::reserve(std::size_t bytes) {
  if (capacity_ - size_ >= bytes) return true;
  const std::size_t most = static_cast<std::size_t>(expected_);
  const std::size_t first = std::min(most, first_bytes_max);
  std::size_t wanted = capacity_ == 0 ? first : std::max(capacity_ * 2, first_bytes_min);
  wanted = std::min(std::max(wanted, size_ + bytes), most);
  if (!share_.take(wanted - capacity_)) return false;
  // realloc moves large blocks by their pages, not by a copy.
  char* memory = static_cast<char*>(std::realloc(data_.get(), wanted));
  if (memory == nullptr) return false;
  static_cast<void>(data_.release());
  data_.reset(memory);
  capacity_ = wanted;
  return true;
}

bool BodyBuffer::append(std::string_view bytes) {
  if (bytes.empty()) return true;
  if (!reserve(bytes.size())) return false;
  std::memcpy(data_.get() + size_, bytes.data(), bytes.size());
  size_ += bytes.size();
  return true;
}

}  // namespace tollgate::net
