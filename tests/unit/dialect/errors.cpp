// Errors as bodies and as events, and the heartbeat.
#include "support.hpp"

using namespace tollgate;
using namespace tollgate::wire;
using namespace tollgate::wire::test;

TEST_CASE("an error has all four keys") {
  CHECK(openai_chat().render_error(make_error(ErrorKind::invalid_request, "Bad \"x\"\n", "a.b")) ==
        R"({"error":{"message":"Bad \"x\"\n","type":"invalid_request_error","param":"a.b",)"
        R"("code":"invalid_request_error"}})");
  Error bare;
  bare.message = "m";
  bare.detail = "secret";
  CHECK(openai_chat().render_error(bare) ==
        R"({"error":{"message":"m","type":null,"param":null,"code":null}})");
}

TEST_CASE("a stream that fails ends in one error event") {
  const auto encoder = openai_chat().encoder(stream_context());
  Batch batch;
  add_frame(batch, {"", {TextDelta{0, "par"}, Finished{0, FinishReason::stop}, UsageEvent{}}});
  Pieces out;
  encoder->encode(batch, out);
  encoder->fail(make_error(ErrorKind::stream_cut, "The provider went away."), out);
  encoder->finish(out);
  encoder->fail(make_error(ErrorKind::internal, "again"), out);
  CHECK(out.joined() ==
        role() + delta(R"("content":"par")") +
            R"(data: {"error":{"message":"The provider went away.","type":"server_error",)"
            R"("param":null,"code":"upstream_error"}})"
            "\n\n");
}

TEST_CASE("the heartbeat is one comment line with no blank line behind it") {
  CHECK(openai_chat().heartbeat() == ": ping\n");
}

TEST_CASE("the dialect has its name") { CHECK(openai_chat().name() == "openai_chat"); }
