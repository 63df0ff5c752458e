#include "gateway/app/access_log.hpp"

#include <algorithm>
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <thread>
#include <vector>

#include "tests/unit/app/log_support.hpp"

namespace tollgate::app {

using test::LogPath;
using test::read_all;

TEST_CASE("access_log: lines reach the file, also those of the last moment; it is ours alone") {
  const LogPath path("access");
  {
    AccessLog log(path.text());
    REQUIRE(log.start());
    std::vector<std::thread> workers;
    for (int i = 0; i < 3; ++i) {
      workers.emplace_back([&sink = log.add_worker()] {
        for (int line = 0; line < 300; ++line)
          sink.record(Outcome{});
      });
    }
    for (std::thread& worker : workers)
      worker.join();
    CHECK(log.dropped() == 0);
  }
  const std::string text = read_all(path.text());
  CHECK(std::ranges::count(text, '\n') == 900);
  struct stat info{};
  REQUIRE(::stat(path.text().c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
}

TEST_CASE("access_log: what is recorded once the log has stopped disturbs nobody") {
  const LogPath path("late");
  AccessLog log(path.text());
  REQUIRE(log.start());
  OutcomeSink& sink = log.add_worker();
  sink.record(Outcome{});
  log.stop();
  const std::string text = read_all(path.text());
  for (int i = 0; i < 10'000; ++i)
    sink.record(Outcome{});
  log.reopen();
  log.stop();
  CHECK(read_all(path.text()) == text);
}

TEST_CASE("access_log: off writes nothing") {
  AccessLog log("off");
  REQUIRE(log.start());
  log.add_worker().record(Outcome{});
  log.reopen();
  log.stop();
  CHECK(log.dropped() == 0);
}

TEST_CASE("access_log: a path that cannot be opened is one clear sentence") {
  AccessLog log("/no/such/folder/access.log");
  const auto started = log.start();
  REQUIRE_FALSE(started);
  CHECK(started.error().message.find("/no/such/folder/access.log") != std::string::npos);
}

}  // namespace tollgate::app
