#include "policies/idempotency/table.hpp"

#include <utility>

namespace tollgate::policies {
namespace {

/// Entries younger than this are never evicted: a client that retries comes within it.
constexpr auto young = std::chrono::minutes(10);
/// An entry with its digests, its log, and its place in maps and lists.
constexpr std::uint64_t entry_bytes = 512;
/// A tenant may have this many times what is free: alone four fifths of all, two of them four
/// ninths each, and there is always room for one that comes new.
constexpr std::uint64_t share_of_free = 4;

/// Lengths stand before the parts, so that no two triples read the same.
std::optional<Digest> id_of(const KeyedCall& call) {
  const std::string lengths =
      std::to_string(call.tenant.size()) + ":" + std::to_string(call.endpoint.size()) + ":";
  return sha256({lengths, call.tenant, call.endpoint, call.key});
}

std::optional<Digest> fingerprint_of(const KeyedCall& call) {
  return sha256({call.endpoint, "\n", call.body});
}

Error no_room() {
  return make_error(ErrorKind::overloaded,
                    "There is no room for another call with an Idempotency-Key. Please retry.");
}

}  // namespace

Error key_reused() {
  return make_error(ErrorKind::idempotency_key_reused,
                    "This Idempotency-Key was used before with another body.", "Idempotency-Key");
}

Error key_unknown() {
  return make_error(ErrorKind::idempotency_unknown,
                    "A call with this Idempotency-Key was made before and may have been paid for, "
                    "but its reply is not known any more. To call again, use another key.",
                    "Idempotency-Key");
}

void IdempotencyTable::set_bounds(const IdempotencyBounds& bounds) {
  const std::scoped_lock lock(mutex_);
  bounds_ = bounds;
  if (memo_ != nullptr) memo_->set_ttl(bounds.ttl);
}

Result<IdempotencyTable::Entrance> IdempotencyTable::enter(const KeyedCall& call) {
  const auto id = id_of(call);
  const auto fingerprint = fingerprint_of(call);
  if (!id || !fingerprint) return fail(ErrorKind::internal, "The gateway is out of memory.");
  auto entrance = join_or_lead(call, *id, *fingerprint);
  // Whoever comes meanwhile waits for this call as for one that runs.
  if (!entrance || !entrance->lead || notes_ == Notes::asked_for) return entrance;
  if (auto noted = entrance->lead->remember(); !noted) return std::unexpected(noted.error());
  return entrance;
}

Result<IdempotencyTable::Entrance> IdempotencyTable::join_or_lead(const KeyedCall& call,
                                                                  const Digest& id,
                                                                  const Digest& fingerprint) {
  const std::scoped_lock lock(mutex_);
  drop_expired();
  if (const auto known = entries_.find(id); known != entries_.end()) {
    return found(*known->second, fingerprint);
  }
  Entry* entry = add(call.tenant, id, fingerprint);
  if (entry == nullptr) {
    ++stats_.full;
    return std::unexpected(no_room());
  }
  ++stats_.led;
  ++stats_.running;
  entry->running = true;
  entry->log = std::make_shared<ReplyLog>();
  Entrance entrance;
  entrance.lead.emplace(Lead(*this, *entry));
  return entrance;
}

Result<IdempotencyTable::Entrance> IdempotencyTable::found(const Entry& entry,
                                                           const Digest& fingerprint) {
  if (entry.fingerprint != fingerprint) {
    ++stats_.reused;
    return std::unexpected(key_reused());
  }
  if (!entry.log) {
    ++stats_.unknown;
    return std::unexpected(key_unknown());
  }
  ++(entry.running ? stats_.joined : stats_.replayed);
  return Entrance{.lead = std::nullopt, .log = entry.log, .running = entry.running};
}

IdempotencyTable::Entry* IdempotencyTable::add(std::string_view tenant, const Digest& id,
                                               const Digest& fingerprint) {
  auto owner = tenants_.find(tenant);
  if (owner == tenants_.end()) {
    owner = tenants_.try_emplace(std::string(tenant)).first;
    owner->second.name = tenant;
    by_bytes_.emplace(0, &owner->second);
  }
  Tenant& of = owner->second;
  ++of.entries;  // so that making room does not take the tenant away
  if (!make_room(of, entry_bytes)) {
    leave(of);
    return nullptr;
  }
  auto entry = std::make_unique<Entry>();
  entry->id = id;
  entry->fingerprint = fingerprint;
  entry->tenant = &of;
  charge(*entry, entry_bytes);
  return entries_.emplace(id, std::move(entry)).first->second.get();
}

/// Takes the oldest entries of the tenant that has most, never one of a tenant that has less than
/// the one that asks.
bool IdempotencyTable::make_room(Tenant& tenant, std::uint64_t bytes) {
  for (;;) {
    const std::uint64_t taken = used_ + bytes;
    const std::uint64_t free = bounds_.bytes_max - std::min(bounds_.bytes_max, taken);
    if (taken <= bounds_.bytes_max && tenant.bytes + bytes <= share_of_free * free) return true;
    Tenant* victim = victim_for(tenant);
    if (victim == nullptr) return false;
    ++stats_.evicted;
    erase(victim->ended.front());
  }
}

IdempotencyTable::Tenant* IdempotencyTable::victim_for(const Tenant& asking) {
  for (auto most = by_bytes_.rbegin(); most != by_bytes_.rend(); ++most) {
    Tenant& tenant = *most->second;
    if (tenant.bytes < asking.bytes) break;
    if (!tenant.ended.empty() && may_evict(tenant.ended.front())) return &tenant;
  }
  return nullptr;
}

/// What the entry takes from now on.
void IdempotencyTable::charge(Entry& entry, std::uint64_t bytes) {
  Tenant& tenant = *entry.tenant;
  auto place = by_bytes_.extract({tenant.bytes, &tenant});
  tenant.bytes += bytes - entry.bytes;
  used_ += bytes - entry.bytes;
  entry.bytes = bytes;
  place.value().first = tenant.bytes;
  by_bytes_.insert(std::move(place));
}

bool IdempotencyTable::may_evict(const Entry& entry) const {
  return clock_.steady() - entry.ended >= young;
}

bool IdempotencyTable::grow(Entry& entry, std::uint64_t bytes) {
  const std::scoped_lock lock(mutex_);
  drop_expired();
  if (!make_room(*entry.tenant, bytes)) return false;
  charge(entry, entry.bytes + bytes);
  return true;
}

void IdempotencyTable::close(Entry& entry, ReplyLog::State state, SteadyTime ended) {
  entry.running = false;
  entry.ended = ended;
  if (state != ReplyLog::State::done) {
    entry.log.reset();
    charge(entry, entry_bytes);
  }
  ended_.push_back(entry);
  entry.tenant->ended.push_back(entry);
}

void IdempotencyTable::drop_expired() {
  if (ended_.empty()) return;
  const SteadyTime now = clock_.steady();
  while (!ended_.empty() && now - ended_.front().ended >= bounds_.ttl)
    erase(ended_.front());
}

/// Whoever reads its log goes on reading.
void IdempotencyTable::erase(Entry& entry) {
  Tenant& tenant = *entry.tenant;
  charge(entry, 0);
  const Digest id = entry.id;
  entries_.erase(id);
  leave(tenant);
}

/// One entry less; a tenant without any is forgotten.
void IdempotencyTable::leave(Tenant& tenant) {
  if (--tenant.entries > 0) return;
  by_bytes_.erase({tenant.bytes, &tenant});
  tenants_.erase(tenants_.find(tenant.name));
}

/// Whose they are is not known any more: together they count as one tenant.
void IdempotencyTable::restore(const Digest& id, const Digest& fingerprint,
                               std::chrono::milliseconds age) {
  const std::scoped_lock lock(mutex_);
  if (age >= bounds_.ttl || entries_.contains(id)) return;
  Entry* entry = add({}, id, fingerprint);
  if (entry != nullptr) close(*entry, ReplyLog::State::lost, clock_.steady() - age);
}

IdempotencyTable::Stats IdempotencyTable::stats() const {
  const std::scoped_lock lock(mutex_);
  Stats stats = stats_;
  stats.entries = entries_.size();
  stats.bytes = used_;
  return stats;
}

IdempotencyTable::Lead::Lead(Lead&& other) noexcept
    : table_(other.table_),
      entry_(std::exchange(other.entry_, nullptr)),
      noted_(other.noted_),
      log_(std::move(other.log_)) {}

IdempotencyTable::Lead::~Lead() {
  if (entry_ != nullptr) end(ReplyLog::State::lost);
}

bool IdempotencyTable::Lead::take(std::uint64_t bytes) noexcept {
  return table_->grow(*entry_, bytes);
}

Result<void> IdempotencyTable::Lead::remember() {
  IdempotencyMemo* memo = table_->memo_;
  if (memo == nullptr || noted_ || entry_ == nullptr) return {};
  // Also where it failed: half of it may stand there.
  noted_ = true;
  if (memo->began(entry_->id, entry_->fingerprint)) return {};
  Error error =
      make_error(ErrorKind::store_unavailable,
                 "The call cannot be noted under its Idempotency-Key right now. Please retry.");
  end(ReplyLog::State::failed, error);
  return std::unexpected(std::move(error));
}

void IdempotencyTable::Lead::append(const Pieces& frames) {
  if (entry_ != nullptr && !log_->append(frames, *this)) end(ReplyLog::State::lost);
}

/// The table first: whoever is woken by a failed log finds the key free.
void IdempotencyTable::Lead::end(ReplyLog::State state, std::optional<Error> error) {
  Entry* entry = std::exchange(entry_, nullptr);
  if (entry == nullptr) return;
  // Before the key is free: the next call with it must be noted behind this.
  if (state == ReplyLog::State::failed && noted_) table_->memo_->forgotten(entry->id);
  {
    const std::scoped_lock lock(table_->mutex_);
    --table_->stats_.running;
    if (state == ReplyLog::State::failed) {
      table_->erase(*entry);
    } else {
      table_->close(*entry, state, table_->clock_.steady());
    }
  }
  log_->end(state, std::move(error));
}

}  // namespace tollgate::policies
