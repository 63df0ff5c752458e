// A reply's events put together again: what a client would have at the end, and which rules of the
// event vocabulary the decoder broke on the way. Printed as JSON by decode_reply.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gateway/core/block.hpp"
#include "gateway/core/error.hpp"

namespace tollgate::golden {

struct MergedCall {
  std::string id, name, arguments, signature;
  bool operator==(const MergedCall&) const = default;
};
struct MergedChoice {
  std::string text, reasoning, refusal;
  std::vector<std::string> signatures, redacted;  ///< of reasoning blocks, in order
  std::map<std::uint32_t, MergedCall> calls;
  std::map<std::string, std::vector<std::string>> extras;
  std::string finish;
  bool operator==(const MergedChoice&) const = default;
};

class Merged {
 public:
  void add(const Batch& batch);
  void end(const Result<void>& result);
  [[nodiscard]] std::string json() const;
  [[nodiscard]] const std::string& wire() const { return wire_; }

 private:
  struct Adder;
  void broken(const std::string& rule);

  std::map<std::uint32_t, MergedChoice> choices_;
  std::map<std::uint32_t, std::string> embeddings_;
  std::string id_, model_, wire_;
  std::int64_t created_ = 0;
  bool started_ = false, ended_ = false;
  std::optional<Usage> usage_;
  std::optional<Error> error_;
  std::vector<std::string> broken_;
};

}  // namespace tollgate::golden
