#include "tests/golden/splits.hpp"

#include <algorithm>

namespace tollgate::golden {
namespace {

Result<void> feed(routing::ReplyDecoder& decoder, std::string_view piece, const SeeBatch& see) {
  Batch batch;
  auto block = std::make_shared<Block>(std::max<std::size_t>(piece.size(), 1));
  const std::string_view bytes = block->append(piece);
  auto fed = decoder.feed(block, bytes, batch);
  block.reset();
  see(batch);
  return fed;
}

}  // namespace

std::vector<Cuts> all_cuts(std::size_t size, bool few) {
  constexpr std::size_t small = 20U << 10U, thorough = 2000, stride = 97;
  std::vector<Cuts> all(1);
  Cuts bytes;
  for (std::size_t at = 1; at < size; ++at)
    bytes.push_back(at);
  all.push_back(std::move(bytes));
  for (std::size_t at = 1; at < size;) {
    all.push_back({at});
    at += few || (size > small && at >= thorough) ? stride : 1;
  }
  return all;
}

Result<void> run(const MakeDecoder& make, std::string_view body, const Cuts& cuts,
                 const SeeBatch& see) {
  const auto decoder = make();
  std::size_t from = 0;
  for (std::size_t i = 0; i <= cuts.size(); ++i) {
    const std::size_t to = i < cuts.size() ? cuts[i] : body.size();
    if (to == from) continue;
    auto fed = feed(*decoder, body.substr(from, to - from), see);
    if (!fed) return fed;
    from = to;
  }
  Batch last;
  auto finished = decoder->finish(last);
  see(last);
  return finished;
}

}  // namespace tollgate::golden
