#include "policies/ledger/export.hpp"

#include <algorithm>

#include "calls.hpp"
#include "policies/ledger/summary.hpp"

using namespace tollgate;
using namespace tollgate::ledger;

namespace {

std::vector<std::string> lines_of(Format format, const Outcome& call) {
  std::string text = export_head(format);
  export_call(format, call, text);
  std::vector<std::string> lines;
  for (std::size_t at = 0, end = 0; at < text.size(); at = end + 1) {
    end = text.find('\n', at);
    lines.push_back(text.substr(at, end - at));
  }
  return lines;
}

}  // namespace

TEST_CASE("JSON lines: kind first, times with microseconds, money whole or null") {
  Outcome call = ended_call(0);
  call.started_at += std::chrono::microseconds(123456);
  call.cost.reset();
  const auto lines = lines_of(Format::jsonl, call);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].starts_with(R"({"kind":"call","request_id":"0189)"));
  CHECK(lines[0].find(R"("started_at":"2026-09-21T14:13:20.123456Z")") != std::string::npos);
  CHECK(lines[0].find(R"("cost_nano_usd":null,"charged_nano_usd":300)") != std::string::npos);
  CHECK(lines[1].starts_with(R"({"kind":"attempt",)"));
  CHECK(lines[1].find(R"("attempt":1,)") != std::string::npos);
  CHECK(lines[1].find(R"("cost_nano_usd":300,)") != std::string::npos);
  CHECK(lines[1].find(R"("tenant":"acme","key_id":"acme-prod")") != std::string::npos);
}

TEST_CASE("CSV quotes what would break a line (RFC 4180)") {
  Outcome call = ended_call(0);
  call.user = "a \"b\", c\nd";
  std::string text;
  export_call(Format::csv, call, text);
  CHECK(text.find(",\"a \"\"b\"\", c\nd\",") != std::string::npos);
  const auto lines = lines_of(Format::csv, ended_call(0));
  REQUIRE(lines.size() == 3);
  CHECK(lines[0].starts_with("kind,request_id,client_request_id,attempt,started_at,ended_at,"));
  CHECK(lines[0].ends_with(",attempts,cache,trace_id"));
}

TEST_CASE("a summary shows no control character of a client's") {
  auto summary = Summary::by("user");
  REQUIRE(summary);
  Outcome call = ended_call(1);
  call.user = "an\x1b[2Jn\n";
  summary->add(call);
  const std::string table = summary->table();
  CHECK(table.find("an?[2Jn?") != std::string::npos);
  CHECK(std::ranges::count(table, '\n') == 3);
}

TEST_CASE("a summary adds exactly, dearest first, with a line for all") {
  auto summary = Summary::by("tenant,tag:feature");
  REQUIRE(summary);
  CHECK(summary->table().empty());
  for (unsigned i = 0; i < 10; ++i) {
    Outcome call = ended_call(i, i < 5 ? 1 : nano_per_usd);
    call.tags = {{"feature", i < 5 ? "cheap" : "dear"}};
    summary->add(call);
  }
  const std::string table = summary->table();
  CAPTURE(table);
  CHECK(table.find("5.000000005") != std::string::npos);
  CHECK(table.find("0.000000005") != std::string::npos);
  CHECK(table.find("dear") < table.find("cheap"));
  for (const char* wrong : {"tenant,colour", "", "tag:", "tenant,,key"}) {
    CAPTURE(wrong);
    CHECK_FALSE(Summary::by(wrong));
  }
}
