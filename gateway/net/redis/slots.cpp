#include "gateway/net/redis/slots.hpp"

#include <algorithm>
#include <charconv>

namespace tollgate::net {
namespace {

/// CRC-16/XMODEM, the polynomial that Redis Cluster hashes with.
std::uint16_t crc16(std::string_view text) {
  constexpr unsigned polynomial = 0x1021;
  unsigned crc = 0;
  for (const char c : text) {
    crc ^= static_cast<unsigned>(static_cast<unsigned char>(c)) << 8U;
    for (int bit = 0; bit < 8; ++bit)
      crc = (crc & 0x8000U) != 0 ? (crc << 1U) ^ polynomial : crc << 1U;
    crc &= 0xffffU;
  }
  return static_cast<std::uint16_t>(crc);
}

std::string_view hashed_part(std::string_view key) {
  const std::size_t open = key.find('{');
  if (open == std::string_view::npos) return key;
  const std::size_t close = key.find('}', open + 1);
  if (close == std::string_view::npos || close == open + 1) return key;
  return key.substr(open + 1, close - open - 1);
}

bool is_slot(const RedisReply& reply) {
  return reply.kind == RedisReply::Kind::integer && reply.integer >= 0 &&
         reply.integer < slot_count;
}

bool is_port(const RedisReply& reply) {
  return reply.kind == RedisReply::Kind::integer && reply.integer > 0 && reply.integer < 65536;
}

/// One entry of CLUSTER SLOTS: first, last, master, replicas.
bool is_range(const RedisReply& range) {
  return range.items.size() >= 3 && is_slot(range.items[0]) && is_slot(range.items[1]) &&
         range.items[0].integer <= range.items[1].integer && range.items[2].items.size() >= 2 &&
         is_port(range.items[2].items[1]);
}

RedisEndpoint node(const RedisReply& reply, const RedisEndpoint& asked) {
  const std::string& host = reply.items[0].text;
  return {host.empty() || host == "?" ? asked.host : host,
          static_cast<std::uint16_t>(reply.items[1].integer)};
}

}  // namespace

std::uint16_t slot_of(std::string_view key) { return crc16(hashed_part(key)) % slot_count; }

bool SlotMap::take(const RedisReply& reply, const RedisEndpoint& asked) {
  if (reply.items.empty() || !std::ranges::all_of(reply.items, is_range)) return false;
  masters_.clear();
  owner_.assign(slot_count, 0);
  for (const RedisReply& range : reply.items) {
    const std::uint16_t index = index_of(node(range.items[2], asked));
    for (auto slot = range.items[0].integer; slot <= range.items[1].integer; ++slot)
      owner_[static_cast<std::size_t>(slot)] = index;
  }
  return true;
}

void SlotMap::move(std::uint16_t slot, const RedisEndpoint& to) {
  if (owner_.empty()) owner_.assign(slot_count, 0);
  owner_[slot] = index_of(to);
}

const RedisEndpoint* SlotMap::master_of(std::uint16_t slot) const {
  if (owner_.empty() || owner_[slot] == 0) return nullptr;
  return &masters_[owner_[slot] - std::size_t{1}];
}

std::uint16_t SlotMap::index_of(const RedisEndpoint& endpoint) {
  auto found = std::ranges::find(masters_, endpoint);
  if (found == masters_.end()) found = masters_.insert(masters_.end(), endpoint);
  return static_cast<std::uint16_t>(found - masters_.begin() + 1);
}

std::optional<Redirection> redirection(const RedisReply& reply, const RedisEndpoint& asked) {
  if (!reply.is_error("MOVED") && !reply.is_error("ASK")) return std::nullopt;
  std::string_view text = reply.text;
  text.remove_prefix(text.find(' ') + 1);
  const std::size_t space = text.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  Redirection found;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + space, found.slot);
  if (failed != std::errc{} || end != text.data() + space || found.slot >= slot_count) {
    return std::nullopt;
  }
  const std::string_view place = text.substr(space + 1);
  const std::size_t colon = place.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  // Redis writes an IPv6 address without brackets here.
  std::string host(place.substr(0, colon));
  const auto port = redis_endpoint(std::string("h").append(place.substr(colon)), 0);
  if (!port || port->port == 0) return std::nullopt;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  found.to = {host.empty() || host == "?" ? asked.host : host, port->port};
  return found;
}

}  // namespace tollgate::net
