#include "policies/cache/reply.hpp"

#include "policies/ledger/archive.hpp"

namespace tollgate::cache {
namespace {

using ledger::ReadArchive;
using ledger::WriteArchive;

constexpr std::uint8_t version = 1;
constexpr std::size_t usual_events = 8;

enum class Tag : std::uint8_t {
  text,
  refusal,
  reasoning,
  tool,
  extra,
  finished,
  usage,
  embedding,
  relayed
};

// One list of members for both directions.
template <class Archive, class F>
void visit(Archive& archive, F& facts) {
  archive(facts.provider);
  archive(facts.upstream_model);
  archive(facts.model);
  archive.list(facts.dropped, [&](auto& name) { archive(name); });
  archive(facts.cost);
}

template <class Archive, class U>
void visit_usage(Archive& archive, U& usage) {
  visit_tokens(archive, usage);
  archive(usage.image_output);
  archive(usage.images);
  archive(usage.web_searches);
  archive(usage.web_fetches);
}

class EventWriter {
 public:
  explicit EventWriter(std::string& out) : archive_(out) {}

  void operator()(const TextDelta& e) { all(Tag::text, e.choice, e.text); }
  void operator()(const RefusalDelta& e) { all(Tag::refusal, e.choice, e.text); }
  void operator()(const ReasoningDelta& e) {
    all(Tag::reasoning, e.choice, e.text, e.signature, e.redacted);
  }
  void operator()(const ToolDelta& e) {
    all(Tag::tool, e.choice, e.index, e.id, e.name, e.arguments, e.signature);
  }
  void operator()(const ExtraDelta& e) { all(Tag::extra, e.choice, e.name, e.json); }
  void operator()(const Finished& e) { all(Tag::finished, e.choice, e.reason); }
  void operator()(const UsageEvent& e) {
    archive_(Tag::usage);
    visit_usage(archive_, e.usage);
    archive_(e.usage.service_tier.text());
  }
  void operator()(const Embedding& e) { all(Tag::embedding, e.index, e.floats); }
  void operator()(const Started&) {}
  void operator()(const Ended&) {}

 private:
  void all(const auto&... values) { (archive_(values), ...); }
  WriteArchive archive_;
};

/// Hands every event to `out`.
template <class Out>
class EventReader {
 public:
  EventReader(ReadArchive& archive, Out out) : archive_(archive), out_(std::move(out)) {}

  /// False: there is something else.
  bool read_all() {
    while (archive_.good() && !archive_.at_end()) {
      if (!next()) return false;
    }
    return archive_.good();
  }
  [[nodiscard]] std::string_view relayed() const { return relayed_; }

 private:
  /// False: there is no such event.
  bool next() {
    Tag tag{};
    archive_(tag);
    switch (tag) {
      case Tag::text:
        return read<TextDelta>([&](auto& e) { all(e.choice, e.text); });
      case Tag::refusal:
        return read<RefusalDelta>([&](auto& e) { all(e.choice, e.text); });
      case Tag::reasoning:
        return read<ReasoningDelta>(
            [&](auto& e) { all(e.choice, e.text, e.signature, e.redacted); });
      case Tag::tool:
        return read<ToolDelta>(
            [&](auto& e) { all(e.choice, e.index, e.id, e.name, e.arguments, e.signature); });
      case Tag::extra:
        return read<ExtraDelta>([&](auto& e) { all(e.choice, e.name, e.json); });
      case Tag::finished:
        return read<Finished>([&](auto& e) { all(e.choice, e.reason); });
      case Tag::usage:
        return read<UsageEvent>([&](auto& e) { usage(e.usage); });
      case Tag::embedding:
        return read<Embedding>([&](auto& e) { all(e.index, e.floats); });
      case Tag::relayed:
        archive_(relayed_);
        return archive_.good();
    }
    return false;
  }

  template <class Event, class Members>
  bool read(Members members) {
    Event event;
    members(event);
    out_(event);
    return archive_.good();
  }
  void all(auto&... values) { (archive_(values), ...); }
  void usage(Usage& usage) {
    visit_usage(archive_, usage);
    std::string_view tier;
    archive_(tier);
    usage.service_tier = TierName(tier);
  }

  ReadArchive& archive_;
  Out out_;
  std::string_view relayed_;
};

}  // namespace

void write_facts(std::string& out, const ReplyFacts& facts) {
  WriteArchive archive(out);
  archive(version);
  visit(archive, facts);
}

void write_event(std::string& out, const StreamEvent& event) {
  std::visit(EventWriter(out), event);
}

void write_relayed(std::string& out, std::string_view relayed) {
  WriteArchive archive(out);
  archive(Tag::relayed);
  archive(relayed);
}

bool read_events(std::string_view bytes, Batch& out) {
  ReadArchive archive(bytes);
  return EventReader(archive, [&](const StreamEvent& e) { out.push(e); }).read_all();
}

std::optional<StoredReply> read_reply(std::string_view bytes) {
  ReadArchive archive(bytes);
  std::uint8_t written = 0;
  archive(written);
  if (written != version) return std::nullopt;
  StoredReply reply;
  visit(archive, reply.facts);
  reply.events.reserve(usual_events);
  reply.events.emplace_back(Started{});
  EventReader events(archive, [&](const StreamEvent& e) { reply.events.push_back(e); });
  if (!events.read_all()) return std::nullopt;
  reply.relayed = events.relayed();
  reply.events.emplace_back(Ended{});
  return reply;
}

}  // namespace tollgate::cache
