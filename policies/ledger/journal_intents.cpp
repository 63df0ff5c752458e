// How long the journal keeps an intent: until the call has its rows, and, where a store beyond this
// process has not answered to its settlement, until that does.
#include "policies/ledger/journal.hpp"

namespace tollgate::ledger {

void Journal::forget_intent(const Key& key) {
  const auto found = intents_.find(key);
  if (found == intents_.end()) return;
  --chunks_[found->second.chunk].open;
  intents_.erase(found);
}

void Journal::close_intent(const Key& key) {
  const auto found = intents_.find(key);
  if (found != intents_.end() && found->second.kept) {
    found->second.has_rows = true;
  } else {
    forget_intent(key);
  }
}

void Journal::keep_intent(std::string_view request_id, bool has_rows) {
  const Key key = key_of(request_id);
  const std::lock_guard lock(mutex_);
  const auto found = intents_.find(key);
  if (found == intents_.end()) return;
  found->second.kept = true;
  found->second.has_rows = has_rows;
}

void Journal::release_intent(std::string_view request_id) {
  const Key key = key_of(request_id);
  const std::lock_guard lock(mutex_);
  const auto found = intents_.find(key);
  if (found == intents_.end()) return;
  found->second.kept = false;
  if (found->second.has_rows) forget_intent(key);
}

}  // namespace tollgate::ledger
