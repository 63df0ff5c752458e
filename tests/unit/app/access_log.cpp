#include "gateway/app/access_log.hpp"

#include <algorithm>
#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

namespace tollgate::app {
namespace {

std::string read_all(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("a line names what is known and says null for what is not") {
  Outcome outcome;
  outcome.request_id = "req_1";
  outcome.tenant = "a\"b";
  outcome.usage = {.input = 1, .cache_read = 2, .cache_write = 3, .output = 4, .reasoning = 5};
  outcome.status = CallStatus::client_abort;
  outcome.tags = {{"k", "v"}};
  std::string line;
  append_access_line(line, outcome);
  for (const char* part :
       {R"("kind":"call")", R"("request_id":"req_1")", R"("tenant":"a\"b")", R"("user":null)",
        R"("status":"client_abort")", R"("input_tokens":1)", R"("cache_read_tokens":2)",
        R"("cache_write_tokens":3)", R"("output_tokens":4)", R"("reasoning_tokens":5)",
        R"("ttft_us":null)", R"("tags":{"k":"v"})", R"("endpoint":"/v1/chat/completions")"}) {
    CAPTURE(part);
    CHECK(line.find(part) != std::string::npos);
  }
  CHECK(line.ends_with("}\n"));
  CHECK(line.find('\n') == line.size() - 1);
}

TEST_CASE("lines reach the file, also those of the last moment; the file is ours alone") {
  const auto path = std::filesystem::temp_directory_path() /
                    ("tollgate-access-" + std::to_string(::getpid()) + ".log");
  std::filesystem::remove(path);
  {
    AccessLog log(path.string());
    REQUIRE(log.start());
    for (int i = 0; i < 1000; ++i)
      log.record(Outcome{});
  }
  const std::string text = read_all(path.string());
  CHECK(std::count(text.begin(), text.end(), '\n') == 1000);
  struct stat info{};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
  std::filesystem::remove(path);
}

TEST_CASE("a path that cannot be opened is one clear sentence") {
  AccessLog log("/no/such/folder/access.log");
  const auto started = log.start();
  REQUIRE_FALSE(started);
  CHECK(started.error().message.find("/no/such/folder/access.log") != std::string::npos);
}

}  // namespace tollgate::app
