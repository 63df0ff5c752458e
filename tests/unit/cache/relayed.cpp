// Relayed bytes: a reply that went out as it came goes out so again, but for its id and its time.
#include <doctest/doctest.h>

#include "gateway/wire/dialect.hpp"
#include "policies/cache/recorder.hpp"

namespace tollgate::cache {
namespace {

constexpr std::size_t large = 1U << 20U;
constexpr Identity ours{.id = "chatcmpl-new", .created = 5};

struct Relayed {
  std::string_view wire;
  std::vector<StreamEvent> events;
  bool changed = false;
};

std::vector<Relayed> whole() {
  return {{R"({ "x": {"id":"inner"}, "created": 17,"id":"up-1" , "new_field":[1,2],"choices":[]})",
           {Started{"up-1", "u", 17}, TextDelta{0, "hi"}, Finished{0, FinishReason::stop},
            UsageEvent{Usage{.output = 3}, -1}, Ended{}}}};
}

std::vector<Relayed> stream() {
  return {
      {"data: {\"id\":\"up-1\",\"created\":17,\"choices\":[{\"delta\":{\"content\":\"h\"}}]}\n\n",
       {Started{"up-1", "u", 17}, TextDelta{0, "h"}}},
      {": still here\n\n", {}},
      {"data: {\"choices\":[{\"finish_reason\":\"stop\"}],\"id\":\"up-1\",\"fp\":\"f\"}\n\n",
       {TextDelta{0, "i"}, Finished{0, FinishReason::stop}}},
      {"data: {\"id\":\"up-1\",\"choices\":[],\"usage\":{\"prompt_tokens\":1}}\n\n",
       {UsageEvent{Usage{.output = 3}, -1}}},
      {"data: [DONE]\n\n", {Ended{}}}};
}

std::string recorded(const std::vector<Relayed>& frames, bool streams, bool relayed = true,
                     std::size_t bytes_max = large) {
  ReplyRecorder recorder(bytes_max, streams);
  for (const Relayed& frame : frames) {
    Batch batch;
    batch.begin_frame(frame.wire);
    batch.frames.back().changed = frame.changed;
    for (const StreamEvent& event : frame.events)
      batch.push(event);
    recorder.take(batch, relayed);
  }
  return recorder.finish({});
}

/// What a client gets of it; empty: it cannot be relayed.
std::string again(const std::string& bytes, bool streams, bool include_usage = true) {
  const auto reply = read_reply(bytes);
  REQUIRE(reply);
  if (reply->relayed.empty()) return {};
  REQUIRE(is_relayed_stream(reply->relayed) == streams);
  Batch batch;
  if (!relay_again(reply->relayed, large, ours, reply->events, batch)) return {};
  const auto encoder = wire::openai_chat().encoder({.id = "unused",
                                                    .created = 1,
                                                    .model = "m",
                                                    .endpoint = Endpoint::chat,
                                                    .stream = streams,
                                                    .include_usage = include_usage,
                                                    .relay = true});
  Pieces out;
  encoder->encode(batch, out);
  encoder->finish(out);
  return out.joined();
}

}  // namespace

TEST_CASE("relayed: a whole reply goes out again letter by letter, under its own name") {
  CHECK(again(recorded(whole(), false), false) ==
        R"({ "x": {"id":"inner"}, "created": 5,"id":"chatcmpl-new" , "new_field":[1,2],)"
        R"("choices":[]})");
}

TEST_CASE("relayed: a stream goes out again frame by frame, its usage to those who ask for it") {
  const std::string bytes = recorded(stream(), true);
  const std::string head =
      "data: {\"id\":\"chatcmpl-new\",\"created\":5,\"choices\":[{\"delta\":{\"content\":\"h\"}}]}"
      "\n\n: still here\n\n"
      "data: {\"choices\":[{\"finish_reason\":\"stop\"}],\"id\":\"chatcmpl-new\",\"fp\":\"f\"}\n\n";
  const std::string usage =
      "data: {\"id\":\"chatcmpl-new\",\"choices\":[],\"usage\":{\"prompt_tokens\":1}}\n\n";
  const std::string done = "data: [DONE]\n\n";
  CHECK(again(bytes, true) == head + usage + done);
  CHECK(again(bytes, true, false) == head + done);
}

TEST_CASE("relayed: what did not go out as it came, or has no room, is kept as events alone") {
  CHECK(again(recorded(whole(), false, false), false).empty());
  auto changed = stream();
  changed[2].changed = true;
  CHECK(again(recorded(changed, true), true).empty());
  auto broken = stream();
  broken[0].wire = "data: {\"id\":\ndata: \"up-1\"}\n\n";  // one object on two lines
  CHECK(again(recorded(broken, true), true).empty());
  const std::string bare = recorded(whole(), false, false);
  const std::string tight = recorded(whole(), false, true, bare.size() + 20);
  CHECK(tight == bare);
}

TEST_CASE("relayed: damaged bytes give a reply of what is whole, and never read beyond") {
  for (const bool streams : {false, true}) {
    const auto reply = recorded(streams ? stream() : whole(), streams);
    const auto read = read_reply(reply);
    REQUIRE(read);
    const std::string good(read->relayed);
    for (std::size_t i = 0; i < good.size(); ++i) {
      for (const std::string& bad : {good.substr(0, i), std::string(good).replace(i, 1, "\x7f")}) {
        Batch batch;
        const bool given = relay_again(bad, large, ours, read->events, batch);
        CHECK(given != batch.frames.empty());
      }
    }
  }
}

}  // namespace tollgate::cache
