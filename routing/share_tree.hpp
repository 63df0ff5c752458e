// ShareTree: whose turn it is among the calls that wait at one provider. Tenants share by weight
// with their siblings what their parent has, so a place goes down from the top, at each step to
// whoever has had the least of its share of late, and at the bottom to the call that came first.
// A tenant's own calls count as one more of its children, of weight 1. Part of WaitingLine, with
// its lock.
#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "routing/waiter.hpp"

namespace tollgate::routing {

class ShareTree {
 public:
  struct Standing {
    std::shared_ptr<Waiter> waiter;
    std::uint64_t arrival = 0;
  };
  using Calls = std::deque<Standing>;
  /// A tenant, or the calls of its own.
  struct Node {
    Node* parent = nullptr;
    std::uint32_t weight = 1;
    double had = 0;           ///< places by weight, on its parent's scale
    double served_to = 0;     ///< where the last place of its children went, on its own scale
    std::size_t waiting = 0;  ///< below it
    std::uint64_t first = 0;  ///< when the first of those came; of `by_turn`
    std::map<std::string, std::unique_ptr<Node>, std::less<>> children;
    Calls calls;  ///< in order of arrival; only where there are no children
  };

  void add(const std::shared_ptr<Waiter>& waiter);
  /// False: it was not there.
  bool remove(const Waiter& waiter);
  /// Those with calls, the one that has had the least first.
  [[nodiscard]] std::vector<Node*> by_turn();
  /// Takes a call out; answers what stands in its place.
  Calls::iterator take(Node& leaf, Calls::iterator at);
  /// It has got a place.
  void count_place(Node& leaf);
  /// Whoever would begin where all do is not remembered.
  void forget_settled();
  /// Tells all, and forgets them.
  void dismiss_all();

 private:
  Node* find(const Waiter& waiter);
  static std::uint64_t note_first(Node& node);
  static void append(Node& node, std::vector<Node*>& order);
  static void forget_below(Node& node);

  Node root_;
  std::uint64_t arrivals_ = 0;
};

}  // namespace tollgate::routing
