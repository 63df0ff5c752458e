#include "routing/share_tree.hpp"

#include <algorithm>
#include <limits>

namespace tollgate::routing {
namespace {

/// Of the calls of a tenant's own among its children; no tenant is called so.
constexpr std::string_view own = "";

ShareTree::Node& child_of(ShareTree::Node& parent, std::string_view name, std::uint32_t weight) {
  auto at = parent.children.find(name);
  if (at == parent.children.end()) {
    at = parent.children.emplace(name, std::make_unique<ShareTree::Node>()).first;
    at->second->parent = &parent;
  }
  ShareTree::Node& node = *at->second;
  node.weight = weight;
  // Who was away has not saved up anything.
  if (node.waiting++ == 0) node.had = std::max(node.had, parent.served_to);
  return node;
}

}  // namespace

void ShareTree::add(const std::shared_ptr<Waiter>& waiter) {
  ++root_.waiting;
  Node* node = &root_;
  for (const Waiter::Share& share : waiter->wish().shares)
    node = &child_of(*node, share.tenant, share.weight);
  child_of(*node, own, 1).calls.push_back({.waiter = waiter, .arrival = arrivals_++});
}

/// nullptr: nobody of its tenant is known.
ShareTree::Node* ShareTree::find(const Waiter& waiter) {
  Node* node = &root_;
  const auto down = [&node](std::string_view name) {
    const auto at = node->children.find(name);
    node = at == node->children.end() ? nullptr : at->second.get();
    return node != nullptr;
  };
  for (const Waiter::Share& share : waiter.wish().shares) {
    if (!down(share.tenant)) return nullptr;
  }
  return down(own) ? node : nullptr;
}

bool ShareTree::remove(const Waiter& waiter) {
  Node* leaf = find(waiter);
  if (leaf == nullptr) return false;
  const auto at = std::ranges::find_if(leaf->calls, [&waiter](const Standing& standing) {
    return standing.waiter.get() == &waiter;
  });
  if (at == leaf->calls.end()) return false;
  take(*leaf, at);
  return true;
}

ShareTree::Calls::iterator ShareTree::take(Node& leaf, Calls::iterator at) {
  for (Node* node = &leaf; node != nullptr; node = node->parent)
    --node->waiting;
  return leaf.calls.erase(at);
}

std::vector<ShareTree::Node*> ShareTree::by_turn() {
  std::vector<Node*> order;
  note_first(root_);
  append(root_, order);
  return order;
}

std::uint64_t ShareTree::note_first(Node& node) {
  node.first =
      node.calls.empty() ? std::numeric_limits<std::uint64_t>::max() : node.calls.front().arrival;
  for (auto& [name, child] : node.children) {
    if (child->waiting > 0) node.first = std::min(node.first, note_first(*child));
  }
  return node.first;
}

void ShareTree::append(Node& node, std::vector<Node*>& order) {
  if (!node.calls.empty()) order.push_back(&node);
  std::vector<Node*> children;
  for (auto& [name, child] : node.children) {
    if (child->waiting > 0) children.push_back(child.get());
  }
  std::ranges::sort(children, [](const Node* a, const Node* b) {
    return a->had != b->had ? a->had < b->had : a->first < b->first;
  });
  for (Node* child : children)
    append(*child, order);
}

void ShareTree::count_place(Node& leaf) {
  for (Node* node = &leaf; node->parent != nullptr; node = node->parent) {
    node->parent->served_to = std::max(node->parent->served_to, node->had);
    node->had += 1.0 / node->weight;
  }
}

void ShareTree::forget_settled() {
  if (root_.waiting > 0) return forget_below(root_);
  root_.children.clear();
  root_.served_to = 0;
}

void ShareTree::forget_below(Node& node) {
  std::erase_if(node.children, [&node](const auto& entry) {
    return entry.second->waiting == 0 && entry.second->had <= node.served_to;
  });
  for (auto& [name, child] : node.children)
    forget_below(*child);
}

void ShareTree::dismiss_all() {
  for (Node* leaf : by_turn()) {
    for (const Standing& standing : leaf->calls)
      standing.waiter->dismiss();
  }
  root_.children.clear();
  root_.served_to = 0;
  root_.waiting = 0;
}

}  // namespace tollgate::routing
