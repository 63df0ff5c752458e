// Collected: a reply that is looked at when all of it is there. Its pieces stay where they were
// read to, and are joined only when there are several. Used by the provider decoders; one for each
// reply.
#pragma once
#include <memory>
#include <string_view>
#include <vector>

#include "gateway/core/block.hpp"

namespace tollgate::routing {

class Collected {
 public:
  struct Piece {
    std::shared_ptr<Block> block;
    std::string_view bytes;
  };
  [[nodiscard]] const std::vector<Piece>& pieces() const { return pieces_; }
  void add(const std::shared_ptr<Block>& block, std::string_view bytes) {
    if (bytes.empty()) return;
    pieces_.push_back({block, bytes});
    size_ += bytes.size();
  }
  /// All of it as one view that lives in `out`.
  std::string_view join(Batch& out) const {
    if (pieces_.empty()) return {};
    if (pieces_.size() == 1) {
      out.hold(pieces_.front().block);
      return pieces_.front().bytes;
    }
    const auto all = std::make_shared<Block>(size_);
    const std::string_view first = all->append(pieces_.front().bytes);
    for (std::size_t i = 1; i < pieces_.size(); ++i)
      all->append(pieces_[i].bytes);
    out.hold(all);
    return {first.data(), size_};
  }

 private:
  std::vector<Piece> pieces_;
  std::size_t size_ = 0;
};

}  // namespace tollgate::routing
