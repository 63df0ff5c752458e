// Stored replies: what a provider said, as the events that every dialect is rendered from, in
// bytes. A stream and a whole reply store the same, so either is answered from the other. No
// prompt, no key and nothing of the client is in it. Pure; used on the call's worker.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/block.hpp"

namespace tollgate::cache {

/// What is stored beside the events.
struct ReplyFacts {
  std::string provider, upstream_model;  ///< who answered
  std::string model;                     ///< as the reply called it; empty: as it was asked for
  std::vector<std::string> dropped;      ///< request fields that the provider could not take
  std::optional<NanoUsd> cost;           ///< of the call that brought it; absent: unknown
  bool operator==(const ReplyFacts&) const = default;
};

struct StoredReply {
  ReplyFacts facts;
  std::vector<StreamEvent> events;  ///< Started to Ended; views into the stored bytes
  std::string_view relayed;         ///< RelayRecorder's; empty: the reply was rendered
};

/// Bytes of `facts`, to stand before those of the events.
void write_facts(std::string& out, const ReplyFacts& facts);
/// One event's bytes. Started and Ended need none: a reply has them anyway.
void write_event(std::string& out, const StreamEvent& event);
/// What RelayRecorder made; may stand before any event or behind the last.
void write_relayed(std::string& out, std::string_view relayed);
/// Adds the events in `bytes`, all written by `write_event`, to `out`. False: they were not.
[[nodiscard]] bool read_events(std::string_view bytes, Batch& out);
/// The reply in `bytes`; nullopt: they were not written by this version.
[[nodiscard]] std::optional<StoredReply> read_reply(std::string_view bytes);

}  // namespace tollgate::cache
