#include <doctest/doctest.h>
#include <string>
#include <vector>

#include "bench/replies.hpp"
#include "bench/reply_reader.hpp"
#include "bench/stamp.hpp"
#include "bench/stream_watch.hpp"

using namespace tollgate::bench;

namespace {

std::string stamp(std::uint64_t sequence, std::int64_t sent_ns) {
  std::string out(Stamp::blank);
  Stamp{sequence, sent_ns}.write(out.data());
  return out;
}

std::string event(std::uint64_t sequence, std::int64_t sent_ns = 1000) {
  return R"(data: {"choices":[{"delta":{"content":")" + stamp(sequence, sent_ns) + "\"}}]}\n\n";
}

constexpr std::string_view done = "data: [DONE]\n\n";

/// The verdict on a whole stream that was read in pieces of `step` bytes.
StreamCounts judged(const std::string& text, std::uint64_t expected, std::size_t step = 1 << 20) {
  StreamCounts counts;
  StreamWatch watch;
  for (std::size_t at = 0; at < text.size(); at += step)
    watch.feed(std::string_view(text).substr(at, step), 2000, &counts);
  watch.finish(expected, &counts);
  CHECK(watch.complete());
  return counts;
}

}  // namespace

TEST_CASE("a stamp reads as it was written") {
  const auto read = read_stamp(stamp(123456, 9'223'372'036'854'775'807));
  REQUIRE(read);
  CHECK(read->sequence == 123456);
  CHECK(read->sent_ns == 9'223'372'036'854'775'807);
  CHECK_FALSE(read_stamp("[00000x@0000000000000000000]"));
  CHECK_FALSE(read_stamp(stamp(1, 2).substr(0, Stamp::size - 1)));
}

TEST_CASE("a faultless stream, however it is cut") {
  const std::string text = event(0) + ": ping\n" + event(1) + event(2) + std::string(done);
  for (std::size_t step = 1; step < text.size(); ++step) {
    const StreamCounts counts = judged(text, 3, step);
    CHECK(counts.frames == 3);
    CHECK(counts.lost + counts.reordered + counts.merged == 0);
    CHECK(counts.delay.count() == 3);
    CHECK(counts.jitter.count() == 2);
  }
}

TEST_CASE("lost deltas are counted, those at the end too") {
  CHECK(judged(event(0) + event(3) + std::string(done), 4).lost == 2);
  CHECK(judged(event(0) + std::string(done), 4).lost == 3);
  CHECK(judged(event(1) + std::string(done), 2).lost == 1);
}

TEST_CASE("a delta that was overtaken is reordered, not lost") {
  const StreamCounts counts = judged(event(0) + event(2) + event(1) + std::string(done), 3);
  CHECK(counts.reordered == 1);
  CHECK(counts.lost == 0);
  CHECK(judged(event(0) + event(0) + std::string(done), 1).reordered == 1);
}

TEST_CASE("a repeated delta does not hide a lost one, in its own stream or in another") {
  const StreamCounts one = judged(event(0) + event(2) + event(0) + std::string(done), 3);
  CHECK(one.lost == 1);
  CHECK(one.reordered == 1);

  StreamCounts counts;
  StreamWatch loses, repeats;
  loses.feed(event(0) + event(2), 2000, &counts);
  repeats.feed(event(0) + event(0), 2000, &counts);
  CHECK(counts.lost == 1);
  CHECK(counts.reordered == 1);
}

TEST_CASE("two deltas in one payload are merged") {
  const std::string both = "data: {\"content\":\"" + stamp(0, 1) + stamp(1, 2) + "\"}\n\n";
  const StreamCounts counts = judged(both + std::string(done), 2);
  CHECK(counts.merged == 1);
  CHECK(counts.lost == 0);
  const std::string lines = "data: " + stamp(0, 1) + "\ndata: " + stamp(1, 2) + "\n\n";
  CHECK(judged(lines + std::string(done), 2).merged == 1);
}

TEST_CASE("events that share a read are not merged") {
  CHECK(judged(event(0) + event(1) + std::string(done), 2).merged == 0);
}

TEST_CASE("heartbeats of a silent stream are no frames") {
  StreamCounts counts;
  StreamWatch watch;
  watch.feed(event(0), 2000, &counts);
  for (int i = 0; i < 3; ++i)
    watch.feed(i % 2 ? ": ping\n" : "event: ping\ndata: {\"type\":\"ping\"}\n\n", 3000, &counts);
  watch.feed(event(1), 4000, &counts);
  CHECK(counts.frames == 2);
  CHECK(counts.lost + counts.reordered + counts.merged == 0);
  CHECK_FALSE(watch.complete());
}

TEST_CASE("deltas that one read brought are together, and no fault") {
  const std::string text = event(0) + event(1) + event(2) + std::string(done);
  CHECK(judged(text, 3).together == 2);
  CHECK(judged(text, 3, event(0).size()).together == 0);
}

TEST_CASE("delay, lateness and jitter count from the stamps") {
  StreamCounts counts;
  counts.late_ns = 100;
  StreamWatch watch;
  watch.feed(event(0, 1000), 1050, &counts);
  watch.feed(event(1, 2000), 2150, &counts);
  CHECK(counts.delay.min() == 50);
  CHECK(counts.delay.max() == 150);
  CHECK(counts.late == 1);
  CHECK(counts.jitter.max() == 100);
}

TEST_CASE("deltas before the window are followed and not counted") {
  StreamCounts counts;
  StreamWatch watch;
  watch.feed(event(0) + event(1), 2000, nullptr);
  watch.feed(event(2), 2000, &counts);
  CHECK(counts.frames == 1);
  CHECK(counts.lost == 0);
}

TEST_CASE("the mock provider's replies have the size that was asked for, in every dialect") {
  for (const Dialect dialect : {Dialect::openai, Dialect::anthropic, Dialect::gemini}) {
    const Replies replies = make_replies(dialect, {2000, 60});
    ReplyReader reader;
    std::string body;
    CHECK(reader.feed(replies.whole, body) == replies.whole.size());
    CHECK(reader.done());
    CHECK(body.size() == 2000);
    CHECK(body.find('$') == body.npos);

    const StreamReply& stream = replies.stream;
    const std::string text = stream.opening + stream.delta + stream.closing;
    reader.restart();
    body.clear();
    CHECK(reader.feed(text, body) == text.size());
    CHECK(reader.done());
    CHECK(read_stamp(std::string_view(stream.delta).substr(stream.stamp_at)));
  }
}

TEST_CASE("a request's path and body tell what it asks for") {
  const auto dialect = [](std::string_view target) { return asked_by(target, "{}")->dialect; };
  CHECK(dialect("/v1/chat/completions") == Dialect::openai);
  CHECK(dialect("/v1/messages?beta=true") == Dialect::anthropic);
  CHECK(dialect("/v1beta/models/g:generateContent") == Dialect::gemini);
  CHECK(asked_by("/v1beta/models/g:streamGenerateContent?alt=sse", "{}")->stream);
  CHECK_FALSE(asked_by("/v1/embeddings", "{}"));
  CHECK_FALSE(asked_by("/v1/messages", "{}")->stream);
  const std::string filler = "{\"messages\":\"" + std::string(9000, 'x') + "\"";
  CHECK(asked_by("/v1/messages", filler + R"(,"stream":true})")->stream);
  CHECK(asked_by("/v1/messages", R"({"stream": true,)" + filler)->stream);
}
