#include "gateway/wire/sse.hpp"

#include <doctest/doctest.h>
#include <string>
#include <string_view>
#include <vector>

using namespace tollgate;
using namespace tollgate::wire;

namespace {

struct Owned {
  std::string wire, event, data;
  bool has_data = false;
  bool operator==(const Owned&) const = default;
};

/// Decodes `chunks`, each in a block of its own that is overwritten once nobody holds it: a view
/// that outlives its block shows.
class Reader {
 public:
  explicit Reader(std::size_t max = 1U << 20U) : decoder_(max) {}

  void feed(std::string_view bytes) {
    auto block = std::make_shared<Block>(bytes.size());
    decoder_.feed(block, block->append(bytes));
    drain([this](SseEvent& event) { return decoder_.next(batch_, event); });
  }
  void finish() {
    drain([this](SseEvent& event) { return decoder_.finish(batch_, event); });
  }
  /// Copies the views only now: all must still be true.
  [[nodiscard]] std::vector<Owned> events() const {
    std::vector<Owned> owned;
    for (const SseEvent& e : events_)
      owned.push_back({std::string(e.wire), std::string(e.event), std::string(e.data), e.has_data});
    return owned;
  }
  [[nodiscard]] const Batch& batch() const { return batch_; }
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  template <class Next>
  void drain(Next next) {
    SseEvent event;
    while (true) {
      auto more = next(event);
      failed_ = failed_ || !more;
      if (!more || !*more) return;
      events_.push_back(event);
    }
  }

  SseDecoder decoder_;
  Batch batch_;
  std::vector<SseEvent> events_;
  bool failed_ = false;
};

std::vector<Owned> decode(const std::vector<std::string_view>& chunks) {
  Reader reader;
  for (const std::string_view chunk : chunks)
    reader.feed(chunk);
  reader.finish();
  REQUIRE_FALSE(reader.failed());
  return reader.events();
}

std::vector<std::string> datas(std::string_view text) {
  std::vector<std::string> found;
  for (const Owned& event : decode({text}))
    if (event.has_data) found.push_back(event.data);
  return found;
}

using Texts = std::vector<std::string>;

constexpr std::string_view streams[] = {
    "data: one\n\ndata: two\n\n",
    "data: one\r\n\r\ndata: two\r\n\r\n",
    "data: one\r\rdata: two\r\r",
    "data: a\r\n\ndata: b\n\r\ndata: c\r\r\ndata: d\n\rdata: e\r\n\r",
    "\xEF\xBB\xBF"
    "data: x\n\n: comment\n\nevent: ping\ndata: {}\n\n",
    "event: a\ndata: 1\n\nevent:  b\ndata:  2\n\nevent: c\ndata: 3\r\n\r\nevent: \ndata: \n\ndata: "
    "4\n\n",
    "event: a\ndata: 1\ndata: 2\ndata\ndata:\nid: 7\nretry: 10\n\n\n\n\ndata: last",
    "data: no blank line at the end\n",
    "data: cr at the end\r",
    "data: crcr at the end\r\r",
    ":\n\n:\r\n\r\n:\r\r",
    "\n\n\n",
    "\xEF\xBB\xBF",
    "data: \xC3\xA4\xE2\x82\xAC\n\n",
    "",
};

}  // namespace

TEST_CASE("sse: lines end in LF, CRLF and CR, mixed too") {
  CHECK(datas("data: a\n\ndata: b\n\n") == Texts{"a", "b"});
  CHECK(datas("data: a\r\n\r\ndata: b\r\n\r\n") == Texts{"a", "b"});
  CHECK(datas("data: a\r\rdata: b\r\r") == Texts{"a", "b"});
  CHECK(datas("data: a\r\n\ndata: b\n\r\ndata: c\n\rdata: d\n\n") == Texts{"a", "b", "c", "d"});
}

TEST_CASE("sse: fields are read as the specification says") {
  CHECK(datas("data:a\n\n") == Texts{"a"});
  CHECK(datas("data:  a \n\n") == Texts{" a "});
  CHECK(datas("data: a\ndata: b\n\n") == Texts{"a\nb"});
  CHECK(datas("data\n\n") == Texts{""});
  CHECK(datas("data:\ndata:\ndata:x\n\n") == Texts{"\n\nx"});
  CHECK(datas("data: a:b: c\n\n") == Texts{"a:b: c"});
  CHECK(datas("Data: a\n data: b\ndatax: c\nid: 1\nretry: 5\n:data: d\n\n") == Texts{});
  const auto named = decode({"event: first\nevent: second\ndata: x\n\n"});
  REQUIRE(named.size() == 1);
  CHECK(named[0].event == "second");
}

TEST_CASE("sse: comments and empty events come as frames without data") {
  const auto events = decode({": ping\n\n\ndata: x\n\n"});
  REQUIRE(events.size() == 3);
  CHECK(events[0].wire == ": ping\n\n");
  CHECK_FALSE(events[0].has_data);
  CHECK(events[1].wire == "\n");
  CHECK(events[2].data == "x");
}

TEST_CASE("sse: a BOM is skipped at the very front only") {
  const auto events =
      decode({"\xEF\xBB\xBF"
              "data: a\n\n\xEF\xBB\xBF"
              "data: b\n\n"});
  REQUIRE(events.size() == 2);
  CHECK(events[0].data == "a");
  CHECK(events[0].wire == "data: a\n\n");
  CHECK_FALSE(events[1].has_data);
}

TEST_CASE("sse: the event that EOF cuts counts") {
  CHECK(datas("data: a\n\ndata: b") == Texts{"a", "b"});
  CHECK(datas("data: a\n\ndata: b\n") == Texts{"a", "b"});
  CHECK(datas("data: b\r\n\r") == Texts{"b"});
  CHECK(datas("") == Texts{});
  Reader reader;
  reader.feed("data: a\n\ndata: b");
  reader.finish();
  reader.finish();
  CHECK(reader.events().size() == 2);
}

TEST_CASE("sse: the same events for one byte at a time and for every split in two and three") {
  for (const std::string_view stream : streams) {
    CAPTURE(stream);
    const auto whole = decode({stream});
    std::vector<std::string_view> bytes;
    for (std::size_t i = 0; i < stream.size(); ++i)
      bytes.push_back(stream.substr(i, 1));
    CHECK(decode(bytes) == whole);
    for (std::size_t i = 0; i <= stream.size(); ++i) {
      CHECK(decode({stream.substr(0, i), stream.substr(i)}) == whole);
      for (std::size_t j = i; j <= stream.size(); ++j)
        CHECK(decode({stream.substr(0, i), stream.substr(i, j - i), stream.substr(j)}) == whole);
    }
  }
}

TEST_CASE("sse: the wires together are the stream, a BOM apart") {
  for (std::string_view stream : streams) {
    std::string joined;
    for (const Owned& event : decode({stream}))
      joined += event.wire;
    if (stream.starts_with("\xEF\xBB\xBF")) stream.remove_prefix(3);
    CHECK(joined == stream);
  }
}

TEST_CASE("sse: an event within one block is not copied, a cut one is held by the batch") {
  SseDecoder decoder;
  Batch batch;
  SseEvent event;
  const std::string_view text = "data: one\n\ndata: tw";
  auto block = std::make_shared<Block>(64);
  const std::string_view bytes = block->append(text);
  decoder.feed(block, bytes);
  REQUIRE(decoder.next(batch, event).value());
  CHECK(event.wire.data() == bytes.data());
  CHECK(event.data.data() == bytes.data() + 6);
  CHECK_FALSE(decoder.next(batch, event).value());
  CHECK_MESSAGE(block.use_count() == 2, "the decoder lets go of a block that it has read");
  auto second = std::make_shared<Block>(64);
  decoder.feed(second, second->append("o\n\n"));
  REQUIRE(decoder.next(batch, event).value());
  CHECK(event.wire == "data: two\n\n");
  CHECK_FALSE(decoder.next(batch, event).value());
  CHECK(second.use_count() == 1);
}

TEST_CASE("sse: an LF event is there at once, without a byte of the next one") {
  Reader reader;
  reader.feed("data: a\r\n\r\n");
  CHECK(reader.events().size() == 1);
  reader.feed("data: b\n\n");
  CHECK(reader.events().size() == 2);
}

TEST_CASE("sse: one event may not pass the limit, whole or in pieces") {
  const std::string large = "data: " + std::string(100, 'x') + "\n\n";
  const std::string small = "data: " + std::string(40, 'x') + "\n\n";
  Reader whole(64);
  whole.feed(large);
  CHECK(whole.failed());
  Reader pieces(64);
  for (const char c : large)
    pieces.feed({&c, 1});
  CHECK(pieces.failed());
  Reader many(64);
  for (int i = 0; i < 10; ++i)
    many.feed(small + small);
  CHECK_FALSE(many.failed());
  CHECK(many.events().size() == 20);

  SseDecoder decoder(8);
  Batch batch;
  SseEvent event;
  auto block = std::make_shared<Block>(64);
  decoder.feed(block, block->append("data: too long"));
  auto result = decoder.next(batch, event);
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().kind == ErrorKind::upstream_error);
}

TEST_CASE("sse: what was fed but not read is not lost") {
  SseDecoder decoder;
  Batch batch;
  SseEvent event;
  for (const std::string_view part : {"data: a\n\nda", "ta: b\n\nd"}) {
    auto block = std::make_shared<Block>(64);
    decoder.feed(block, block->append(part));
  }
  REQUIRE(decoder.next(batch, event).value());
  CHECK(event.data == "a");
  REQUIRE(decoder.next(batch, event).value());
  CHECK(event.data == "b");
  REQUIRE(decoder.finish(batch, event).value());
  CHECK(event.wire == "d");
}
