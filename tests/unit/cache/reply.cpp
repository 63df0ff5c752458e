// Stored replies: whatever pieces a reply came in, it is stored as one, and every dialect renders
// from it what it would have rendered from the provider. What did not end well is not stored.
#include <doctest/doctest.h>
#include <random>

#include "gateway/wire/dialect.hpp"
#include "policies/cache/pieces.hpp"
#include "policies/cache/recorder.hpp"

namespace tollgate::cache {
namespace {

constexpr std::size_t large = 1U << 20U;
using Events = std::vector<StreamEvent>;

Usage usage() {
  Usage usage;
  usage.input = 1000;
  usage.cache_read = 7;
  usage.output = 300;
  usage.reasoning = 20;
  usage.service_tier = TierName("flex");
  return usage;
}

/// A reply of all kinds; every text is cut into the pieces that `random` wants.
class Pieced {
 public:
  explicit Pieced(std::uint32_t seed) : random_(seed) {}

  Events reply() {
    add(Started{"chatcmpl-1", "gpt-4o-2024", 1700000000});
    cut("thinking about it", [](auto text) { return ReasoningDelta{0, text, {}, {}}; });
    add(ReasoningDelta{0, {}, "sig", {}});
    add(ReasoningDelta{0, {}, {}, "hidden"});
    cut("Hello, \xC3\xA9 \"world\"", [](auto text) { return TextDelta{0, text}; });
    add(ExtraDelta{0, "annotations", R"([{"type":"url_citation"}])"});
    cut("no", [](auto text) { return RefusalDelta{0, text}; });
    add(ToolDelta{0, 0, "call_1", "weather", {}, {}});
    cut(R"({"city":"Oslo"})", [](auto text) { return ToolDelta{0, 0, {}, {}, text, {}}; });
    add(ToolDelta{0, 1, "call_2", "weather", {}, {}});
    cut(R"({"city":"Rome"})", [](auto text) { return ToolDelta{0, 1, {}, {}, text, {}}; });
    add(Finished{0, FinishReason::tool_calls});
    cut("second choice", [](auto text) { return TextDelta{1, text}; });
    add(Finished{1, FinishReason::stop});
    add(UsageEvent{Usage{}, -1});
    add(UsageEvent{usage(), -1});
    add(Ended{});
    return events_;
  }

 private:
  void add(StreamEvent event) { events_.push_back(event); }
  template <class Make>
  void cut(std::string_view text, Make make) {
    while (!text.empty()) {
      const std::size_t size = 1 + random_() % text.size();
      add(make(text.substr(0, size)));
      text.remove_prefix(size);
    }
  }
  std::mt19937 random_;
  Events events_;
};

std::string recorded(const Events& events, std::size_t bytes_max = large,
                     const ReplyFacts& facts = {}) {
  ReplyRecorder recorder(bytes_max);
  for (const StreamEvent& event : events) {
    Batch batch;
    batch.push(event);
    recorder.take(batch);
  }
  return recorder.finish(facts);
}

std::string rendered(const Events& events, bool stream) {
  auto encoder = wire::openai_chat().encoder({.id = "chatcmpl-new",
                                              .created = 5,
                                              .model = "gpt",
                                              .endpoint = Endpoint::chat,
                                              .stream = stream,
                                              .include_usage = true});
  Pieces out;
  Batch batch;
  for (const StreamEvent& event : events)
    batch.push(event);
  encoder->encode(batch, out);
  encoder->finish(out);
  return out.joined();
}

/// How many events bring text; none brings more than `size` bytes, or one character.
std::size_t pieces_of_text(const Events& events, std::size_t size) {
  constexpr std::size_t character = 2;  // the longest in these replies
  std::size_t count = 0;
  for (const StreamEvent& event : events) {
    std::string_view text;
    if (const auto* e = std::get_if<TextDelta>(&event)) text = e->text;
    if (const auto* e = std::get_if<RefusalDelta>(&event)) text = e->text;
    if (const auto* e = std::get_if<ReasoningDelta>(&event)) text = e->text;
    if (const auto* e = std::get_if<ToolDelta>(&event)) text = e->arguments;
    CHECK(text.size() <= std::max(size, character));
    if (!text.empty()) ++count;
  }
  return count;
}

Events answer(FinishReason reason) {
  return {Started{}, TextDelta{0, "hi"}, Finished{0, reason}, Ended{}};
}

}  // namespace

TEST_CASE("stored reply: the pieces a reply came in leave no trace") {
  const std::string one = recorded(Pieced(1).reply());
  REQUIRE(!one.empty());
  for (std::uint32_t seed = 2; seed < 50; ++seed)
    REQUIRE(recorded(Pieced(seed).reply()) == one);
}

TEST_CASE("stored reply: renders as the reply did, with an id and a time of its own") {
  Events events = Pieced(1).reply();
  const std::string bytes = recorded(events);
  const auto stored = read_reply(bytes);
  REQUIRE(stored);
  events.front() = Started{};
  CHECK(rendered(stored->events, false) == rendered(events, false));
  const std::string stream = rendered(stored->events, true);
  CHECK(stream.find("chatcmpl-new") != std::string::npos);
  CHECK(stream.find("\"prompt_tokens\":1007") != std::string::npos);
  CHECK(stream.ends_with("data: [DONE]\n\n"));
}

TEST_CASE("stored reply: a stream of it says what the whole says") {
  // In one piece each, so that the chunks are the same ones.
  Events events = answer(FinishReason::stop);
  events.insert(events.end() - 1, UsageEvent{usage(), -1});
  const std::string bytes = recorded(events);
  const auto stored = read_reply(bytes);
  REQUIRE(stored);
  CHECK(rendered(stored->events, true) == rendered(events, true));
  CHECK(std::get<UsageEvent>(*(stored->events.end() - 2)).usage == usage());
}

TEST_CASE("stored reply: in pieces of any size it says the same, a piece at a time") {
  const std::string bytes = recorded(Pieced(1).reply());
  const auto block = std::make_shared<Block>(bytes.size());
  const auto stored = read_reply(block->append(bytes));
  REQUIRE(stored);
  for (std::size_t size : {1U, 2U, 5U, 1000U}) {
    ReplyPieces pieces(*stored, block, size);
    Events all;
    for (Batch batch; pieces.next(batch); batch.clear()) {
      CHECK(pieces_of_text(batch.events, size) <= 1);
      all.insert(all.end(), batch.events.begin(), batch.events.end());
    }
    CHECK(recorded(all) == bytes);
    CHECK(rendered(all, false) == rendered(stored->events, false));
  }
}

TEST_CASE("stored reply: facts come back as they were") {
  const ReplyFacts facts{.provider = "openai",
                         .upstream_model = "gpt-4o-mini",
                         .model = "gpt-4o-mini-2024",
                         .dropped = {"logit_bias", "seed"},
                         .cost = 12345};
  const std::string bytes = recorded(answer(FinishReason::stop), large, facts);
  const auto stored = read_reply(bytes);
  REQUIRE(stored);
  CHECK(stored->facts == facts);
}

TEST_CASE("stored reply: only what was complete and went well is stored") {
  for (FinishReason good :
       {FinishReason::stop, FinishReason::tool_calls, FinishReason::function_call}) {
    CHECK(!recorded(answer(good)).empty());
  }
  CHECK(recorded(answer(FinishReason::length)).empty());
  CHECK(recorded(answer(FinishReason::content_filter)).empty());
  Events cut = answer(FinishReason::stop);
  cut.pop_back();
  CHECK(recorded(cut).empty());
  CHECK(recorded({Started{}, TextDelta{0, "hi"}, Ended{}}).empty());
  Events audio = answer(FinishReason::stop);
  audio.insert(audio.begin() + 1, ExtraDelta{0, "audio", R"({"id":"a","expires_at":5})"});
  CHECK(recorded(audio).empty());
  Events half = answer(FinishReason::stop);
  half.insert(half.begin() + 1, Finished{1, FinishReason::length});
  CHECK(recorded(half).empty());
}

TEST_CASE("stored reply: what is larger than was allowed is not stored") {
  const std::string text(5000, 'x');
  const Events events{Started{}, TextDelta{0, text}, Finished{0, FinishReason::stop}, Ended{}};
  CHECK(recorded(events, 4999).empty());
  CHECK(recorded(events, 5100).size() < 5100);
  CHECK(!recorded(events, 5100).empty());
}

TEST_CASE("stored reply: bytes that were cut or changed are no reply, and never read beyond") {
  const std::string bytes = recorded(Pieced(1).reply());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const std::string cut = bytes.substr(0, size);
    const auto read = read_reply(cut);
    // A cut between two events reads as a shorter reply; nothing else does.
    if (read) CHECK(read->events.size() < read_reply(bytes)->events.size());
  }
  std::string other = bytes;
  other[0] = 99;
  CHECK(!read_reply(other));
}

}  // namespace tollgate::cache
