#include "gateway/core/block.hpp"

#include <algorithm>
#include <cstring>

namespace tollgate {

std::string_view Block::append(std::string_view text) {
  char* at = bytes_.get() + used_;
  if (!text.empty()) std::memcpy(at, text.data(), text.size());
  used_ += text.size();
  return {at, text.size()};
}

void Batch::clear() {
  blocks.clear();
  frames.clear();
  events.clear();
  if (scratch_ && scratch_.use_count() == 1) {
    scratch_->reset();
  } else {
    scratch_.reset();
  }
}

std::string_view Batch::store(std::string_view text) {
  constexpr std::size_t usual = 1024;
  if (!scratch_ || scratch_->capacity() - scratch_->used() < text.size()) {
    scratch_ = std::make_shared<Block>(std::max(usual, text.size()));
  }
  hold(scratch_);
  return scratch_->append(text);
}

void Batch::begin_frame(std::string_view wire) {
  if (frames.empty()) frames.reserve(4);
  frames.push_back({wire, static_cast<std::uint32_t>(events.size()), 0, false});
}

void Batch::push(StreamEvent event) {
  if (frames.empty()) begin_frame({});
  if (events.capacity() == 0) events.reserve(8);
  events.push_back(std::move(event));
  ++frames.back().event_count;
}

void Batch::hold(const std::shared_ptr<Block>& block) {
  if (blocks.empty() || blocks.back() != block) blocks.push_back(block);
}

}  // namespace tollgate
