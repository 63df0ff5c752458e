#include <doctest/doctest.h>

#include "tests/unit/openai/support.hpp"

using namespace tollgate;
using namespace tollgate::routing::openai::test;

namespace {

std::string sent(const std::string& members, Asked asked) {
  const std::string head = R"({"model":"upstream","messages":[{"role":"user","content":"hi"}])";
  const std::string body = encode(head + members + "}", asked).body;
  const std::size_t at = body.find("max_");
  return at == std::string::npos ? "" : body.substr(at - 1, body.find_first_of("[}", at) - at + 1);
}

Asked under(std::uint64_t limit, bool own_host = false) {
  Asked asked;
  asked.limit = limit;
  asked.own_host = own_host;
  return asked;
}

}  // namespace

TEST_CASE("M4: a limit that was set replaces the client's, under the client's names") {
  CHECK(sent(R"(,"max_tokens":900)", {}) == R"("max_tokens":900)");
  CHECK(sent(R"(,"max_tokens":900)", under(300)) == R"("max_tokens":300)");
  CHECK(sent(R"(,"max_completion_tokens":900)", under(300)) == R"("max_completion_tokens":300)");
  CHECK(sent(R"(,"max_tokens":900,"max_completion_tokens":5)", under(300)) ==
        R"("max_tokens":300,"max_completion_tokens":300)");
}

TEST_CASE("M4: where the client gave no limit it goes in the field that the target obeys") {
  const auto both = [](const std::string& members, bool own_host) {
    const std::string head = R"({"model":"upstream","messages":[{"role":"user","content":"hi"}])";
    const std::string body = encode(head + members + "}", under(300, own_host)).body;
    return std::pair(body.find(R"("max_tokens":300)") != std::string::npos,
                     body.find(R"("max_completion_tokens":300)") != std::string::npos);
  };
  CHECK(both("", false) == std::pair(true, false));
  CHECK(both("", true) == std::pair(false, true));
  CHECK(both(R"(,"max_tokens":null)", false) == std::pair(true, false));
}

TEST_CASE("M4: a limit that was set wins over a default of the model") {
  Asked asked = under(300);
  asked.defaults = {{"max_tokens", "9000"}, {"temperature", "1"}};
  const std::string body =
      encode(R"({"model":"upstream","messages":[{"role":"user","content":"hi"}]})", asked).body;
  CHECK(body.find("9000") == std::string::npos);
  CHECK(body.find(R"("max_tokens":300)") != std::string::npos);
  CHECK(body.find(R"("temperature":1)") != std::string::npos);
}

TEST_CASE("M4: completions know one name for it") {
  Asked asked = under(300, true);
  asked.endpoint = Endpoint::completions;
  const std::string body = encode(R"({"model":"upstream","prompt":"hi"})", asked).body;
  CHECK(body.find(R"("max_tokens":300)") != std::string::npos);
  CHECK(body.find("max_completion_tokens") == std::string::npos);
}
