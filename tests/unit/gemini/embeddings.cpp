#include <doctest/doctest.h>

#include "tests/unit/gemini/support.hpp"

using namespace tollgate;
using namespace tollgate::routing;
using namespace tollgate::routing::gemini::test;

namespace {
Sent embed(std::string_view members, bool refuse = false) {
  return encode(
      R"({"model":"m",)" + std::string(members) + "}",
      {.model = "gemini-embedding-001", .refuse = refuse, .endpoint = Endpoint::embeddings});
}
Got reply(std::string_view body, int status = 200) {
  DecodeHints hints;
  hints.endpoint = Endpoint::embeddings;
  hints.model = "gemini-embedding-001";
  return decode(body, status, "application/json", hints);
}
}  // namespace

TEST_CASE("one batch for all inputs") {
  const Sent sent = embed(R"("input":["a","b\n"],"dimensions":8,"task_type":"CLUSTERING")");
  CHECK(sent.target == "/v1beta/models/gemini-embedding-001:batchEmbedContents");
  CHECK(sent.body ==
        R"({"requests":[{"model":"models/gemini-embedding-001","content":{"parts":[{"text":"a"}]},)"
        R"("outputDimensionality":8,"taskType":"CLUSTERING"},)"
        R"({"model":"models/gemini-embedding-001","content":{"parts":[{"text":"b\n"}]},)"
        R"("outputDimensionality":8,"taskType":"CLUSTERING"}]})");
  CHECK(embed(R"("input":"a","user":"u","odd":1)").dropped == "odd,user");
  CHECK(embed(R"("input":"a","user":"u")", true).error_param == "user");
  CHECK(embed(R"("input":"a","encoding_format":"base64")").hints.base64);
}

TEST_CASE("tokens and long lists are refused here") {
  CHECK(embed(R"("input":[1,2])").error_param == "input");
  std::string many = R"("input":["a")";
  for (int i = 0; i < 100; ++i)
    many += R"(,"a")";
  CHECK(embed(many + "]").error_param == "input");
}

TEST_CASE("vectors in order, no usage unless told") {
  CHECK(reply(R"({"embeddings":[{"values":[0.5,-1]},{"values":[1e-3]}]})").joined() ==
        "started  gemini-embedding-001\nembedding 0 8\nembedding 1 4\nended\n");
  CHECK(reply(R"({"embeddings":[{"values":[1]}],"usageMetadata":{"promptTokenCount":3}})")
            .joined()
            .contains("usage 3+0 0(0)\n"));
}

TEST_CASE("replies that are none") {
  CHECK(reply(R"({"embeddings":[{"values":[0.5)").result.error().kind == ErrorKind::stream_cut);
  CHECK(reply(R"({"embeddings":[{"values":["x"]}]})").result.error().kind ==
        ErrorKind::upstream_error);
  CHECK(reply("{}").result.error().kind == ErrorKind::upstream_error);
  CHECK(reply(R"({"error":{"code":404,"message":"no","status":"NOT_FOUND"}})", 404)
            .result.error()
            .code == "model_not_found");
}
