// Relays: the provider's bytes, and the little that is left out or added.
#include "support.hpp"

using namespace tollgate;
using namespace tollgate::wire;
using namespace tollgate::wire::test;

namespace {

const std::string first =
    "data: {\"id\":\"p\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\"}}]}\n\n";
const std::string text =
    "data: {\"id\":\"p\", \"choices\":[{\"delta\":{\"content\":\"hi\"}}]}\r\n\r\n";
const std::string finish_and_usage =
    "data: {\"choices\" : [ {\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":{}}\n\n";
const std::string only_usage = "data: {\"choices\" : [ ],\"usage\":{}}\n\n";
const std::string end = "data: [DONE]\n\n";

const Fed started{first, {Started{"p", "upstream", 9}}};
const Fed content{text, {TextDelta{0, "hi"}}};
const Fed finished{finish_and_usage, {Finished{}, UsageEvent{}}};
const Fed usage{only_usage, {UsageEvent{Usage{.input = 1}}}};
const Fed ended{end, {Ended{}}};

ReplyContext relay_context(bool include_usage = false) {
  ReplyContext context = stream_context();
  context.relay = true;
  context.include_usage = include_usage;
  return context;
}

std::string relay(const std::vector<Fed>& frames, bool include_usage = false) {
  const std::string out = render(relay_context(include_usage), frames);
  CHECK(render_cut(relay_context(include_usage), frames) == out);
  return out;
}

}  // namespace

TEST_CASE("bytes pass as they came, comments and eventless frames too") {
  const std::string comment = ": PROCESSING\n\n";
  CHECK(relay({started, {comment, {}}, content, finished, ended}) ==
        first + comment + text + finish_and_usage + end);
}

TEST_CASE("relayed bytes are not copied") {
  const auto encoder = openai_chat().encoder(relay_context());
  Batch batch;
  add_frame(batch, started);
  add_frame(batch, content);
  Pieces out;
  encoder->encode(batch, out);
  REQUIRE(out.parts().size() == 2);
  CHECK(out.parts()[0].data() == started.wire.data());
  CHECK(out.parts()[1].data() == content.wire.data());
}

TEST_CASE("a usage chunk goes out only where it was asked for") {
  CHECK(relay({started, content, usage, ended}) == first + text + end);
  CHECK(relay({started, content, usage, ended}, true) == first + text + only_usage + end);
}

TEST_CASE("a usage chunk without choices at all is one too") {
  CHECK(relay({started, {"data: {\"usage\":{}}\n\n", {UsageEvent{}}}, ended}) == first + end);
  CHECK(relay({started, {"data: {\"choices\":null,\"usage\":{}}\n\n", {UsageEvent{}}}, ended}) ==
        first + end);
}

TEST_CASE("usage beside choices goes out as it came") {
  const Fed second{finish_and_usage, {UsageEvent{}}};
  CHECK(relay({started, content, finished, second, ended}) ==
        first + text + finish_and_usage + finish_and_usage + end);
}

TEST_CASE("DONE is added where the provider has none, and never twice") {
  CHECK(relay({started, content, finished}) == first + text + finish_and_usage + end);
  CHECK(relay({started, {"data:[DONE]\r\n\r\n", {Ended{}}}, ended, content}) ==
        first + "data:[DONE]\r\n\r\n");
}

TEST_CASE("a text that speaks of DONE is no end") {
  const std::string talk = "data: {\"choices\":[{\"delta\":{\"content\":\"[DONE]\"}}]}\n\n";
  CHECK(relay({started, {talk, {TextDelta{0, "[DONE]"}}}}) == first + talk + end);
}

TEST_CASE("a blank line that the provider forgot at the end is added") {
  CHECK(relay({started, {"data: [DONE]", {Ended{}}}}) == first + end);
  CHECK(relay({started, {"data: [DONE]\n", {Ended{}}}}) == first + end);
  CHECK(relay({started, {"data: [DONE]\r\n", {Ended{}}}}) == first + "data: [DONE]\r\n\n");
  CHECK(relay({started, {"data: {}", {TextDelta{0, "x"}}}}) == first + "data: {}\n\n" + end);
}

TEST_CASE("a failure behind a relayed frame is an event of its own") {
  const auto encoder = openai_chat().encoder(relay_context(true));
  Batch batch;
  add_frame(batch, started);
  Pieces out;
  encoder->encode(batch, out);
  encoder->fail(make_error(ErrorKind::deadline_exceeded, "Too slow."), out);
  encoder->finish(out);
  const std::string all = out.joined();
  CHECK(all.starts_with(first + "data: {\"error\":{\"message\":\"Too slow.\""));
  CHECK(all.ends_with("}}\n\n"));
  CHECK(all.find("[DONE]") == std::string::npos);
}

TEST_CASE("a changed frame is rendered from its events, with the provider's identity") {
  Fed changed = content;
  changed.changed = true;
  const std::string out = relay({started, changed, finished, ended});
  CHECK(out == first +
                   R"(data: {"id":"p","object":"chat.completion.chunk","created":9,)"
                   R"("model":"upstream","choices":[)"
                   R"({"index":0,"delta":{"content":"hi"},"finish_reason":null}]})"
                   "\n\n" +
                   finish_and_usage + end);
}

TEST_CASE("a changed first frame brings the role") {
  const Fed changed{first, {Started{"p", "upstream", 9}, TextDelta{0, "x"}}, true};
  CHECK(relay({{": hello\n\n", {}}, changed, ended}).find(R"("role":"assistant")") !=
        std::string::npos);
}

TEST_CASE("what a changed frame left held goes out before the provider's end") {
  Fed changed = finished;
  changed.changed = true;
  changed.events = {Finished{0, FinishReason::length}, UsageEvent{Usage{.input = 1}}};
  const std::string out = relay({started, content, changed, ended}, true);
  const std::size_t at = out.find(R"("finish_reason":"length")");
  const std::size_t tokens = out.find(R"("prompt_tokens":1)");
  CHECK(at != std::string::npos);
  CHECK(tokens != std::string::npos);
  CHECK(at < tokens);
  CHECK(tokens < out.find("[DONE]"));
  CHECK(out.ends_with(end));
}

TEST_CASE("events that no bytes carry are rendered") {
  const std::string out = relay({started, content, {"", {Finished{}, Ended{}}}});
  CHECK(out.find(R"("delta":{},"finish_reason":"stop")") != std::string::npos);
  CHECK(out.ends_with(end));
}

TEST_CASE("whole relays are the provider's bytes, kept alive by their blocks") {
  ReplyContext context = relay_context();
  context.stream = false;
  const auto encoder = openai_chat().encoder(context);
  Pieces out;
  const char* bytes = nullptr;
  {
    Batch batch;
    const std::string_view stored = batch.store("{\"id\": \"p\"}");
    bytes = stored.data();
    batch.begin_frame(stored);
    batch.push(TextDelta{0, "x"});
    encoder->encode(batch, out);
    CHECK(out.empty());
    batch.clear();
    batch.store("overwritten");
  }
  encoder->finish(out);
  CHECK(out.joined() == "{\"id\": \"p\"}");
  CHECK(out.parts()[0].data() == bytes);
}

TEST_CASE("a whole relay that was changed is rendered") {
  ReplyContext context = relay_context();
  context.stream = false;
  const std::string out = render(
      context, {{"{\"id\":\"p\"}", {Started{"p", "upstream", 9}, TextDelta{0, "new"}}, true}});
  CHECK(out.find(R"("content":"new")") != std::string::npos);
  CHECK(out.find(R"("model":"upstream")") != std::string::npos);
}

TEST_CASE("embedding relays are the provider's bytes") {
  ReplyContext context = relay_context();
  context.stream = false;
  context.endpoint = Endpoint::embeddings;
  CHECK(render(context, {{"{\"data\":[]}", {Embedding{0, "abcd"}, UsageEvent{}}}}) ==
        "{\"data\":[]}");
}
