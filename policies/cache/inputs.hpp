// Inputs: the inputs of one embeddings call, each with a key of its own, so that what is stored of
// one is found again in any batch. Only the missing ones go upstream; their vectors and the stored
// ones make one reply in the client's order. One object a call, on its worker.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/block.hpp"
#include "policies/cache/key.hpp"
#include "policies/cache/memory.hpp"
#include "policies/cache/reply.hpp"

namespace tollgate::cache {

class Inputs {
 public:
  /// `view` is an embeddings request.
  Inputs(const KeyScope& scope, const wire::RequestView& view);

  /// Takes what is stored of each and is no older than `max_age`; the others are missing.
  void look(MemoryCache& store, SteadyTime now, std::optional<std::chrono::seconds> max_age);
  /// The same of what another store had under `keys()`, in order, young enough.
  struct Stored {
    std::string bytes;
    SteadyTime since{};
  };
  void take_stored(std::vector<std::optional<Stored>> stored);
  [[nodiscard]] std::vector<Digest> keys() const;
  [[nodiscard]] std::size_t count() const { return items_.size(); }
  [[nodiscard]] std::size_t missing() const { return missing_.size(); }
  /// When the oldest of those that are stored came.
  [[nodiscard]] SteadyTime oldest() const { return oldest_; }
  /// What the stored ones had cost.
  [[nodiscard]] NanoUsd avoided() const { return facts_.cost.value_or(0); }
  /// The reply, where none is missing: views into this object.
  [[nodiscard]] StoredReply reply() const;
  /// The request for the missing ones alone. `view` is the one that this was made of.
  [[nodiscard]] std::string shorter_body(const wire::RequestView& view) const;

  /// The provider's next batch of a reply to the missing ones. Where some are stored the last batch
  /// gets all vectors, and its bytes no longer hold. Error: that is no reply to them.
  Result<void> take(Batch& batch);
  /// What to store of each vector that came: `use(key, bytes)`, where it takes no more than
  /// `bytes_max`. `facts.cost` is what they cost together.
  using Use = std::function<void(const Digest&, std::string bytes)>;
  void keep(ReplyFacts facts, std::size_t bytes_max, const Use& use) const;
  /// What the reply calls its model.
  [[nodiscard]] const std::string& model() const { return model_; }

 private:
  struct Item {
    Digest key{};
    std::size_t bytes = 0;  // of the client's text
    Held stored;            // what `floats` points into, or
    std::string elsewhere;  // what another store had, or
    std::string fresh;      // what came from the provider
    std::string_view floats;
  };
  void begin_look();
  void end_look();
  void read(Item& item, std::string_view bytes, SteadyTime since);
  [[nodiscard]] Result<void> check() const;

  std::vector<Item> items_;
  std::vector<std::size_t> missing_;  // positions, in order
  ReplyFacts facts_;                  // of those that are stored; their costs together
  SteadyTime oldest_ = never;
  std::string model_;
};

}  // namespace tollgate::cache
