#include "gateway/app/ring_writer.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <map>
#include <string>
#include <sys/resource.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "tests/unit/app/log_support.hpp"

namespace tollgate::app {
namespace {

using test::LogPath;
using test::read_all;
using test::until;

/// A named pipe that is open for reading, so that a writer can open it.
struct NamedPipe {
  LogPath path{"pipe"};
  int fd = -1;

  NamedPipe() {
    REQUIRE(::mkfifo(path.text().c_str(), 0600) == 0);
    fd = ::open(path.text().c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    REQUIRE(fd >= 0);
  }
  ~NamedPipe() { ::close(fd); }

  /// Reads until the writer has closed its end.
  std::string drain() const {
    REQUIRE(::fcntl(fd, F_SETFL, 0) == 0);
    std::string text;
    std::array<char, 65536> buffer;
    while (true) {
      const ssize_t got = ::read(fd, buffer.data(), buffer.size());
      if (got <= 0) return text;
      text.append(buffer.data(), static_cast<std::size_t>(got));
    }
  }
};

/// No file may grow past `bytes` while this lives: a full disk that can be had anywhere.
struct FullDisk {
  rlimit before{};
  explicit FullDisk(std::size_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
    const rlimit small{.rlim_cur = bytes, .rlim_max = before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  }
  ~FullDisk() { free(); }
  void free() const { ::setrlimit(RLIMIT_FSIZE, &before); }
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    REQUIRE(end != std::string::npos);  // the last one is whole too
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

std::string line_of(int producer, int number) {
  const std::string tail(static_cast<std::size_t>(number * 7 % 90), '.');
  return std::to_string(producer) + ' ' + std::to_string(number) + ' ' + tail + '\n';
}

/// Pushes so many lines from each of several threads, each with a ring of its own.
void push_from_threads(RingWriter& writer, int producers, int lines) {
  std::vector<std::thread> threads;
  for (int producer = 0; producer < producers; ++producer) {
    threads.emplace_back([&writer, producer, lines, &ring = writer.add_ring()] {
      for (int i = 0; i < lines; ++i)
        writer.push(ring, line_of(producer, i));
    });
  }
  for (std::thread& thread : threads)
    thread.join();
}

/// Every line is whole, those of one producer are in order; returns how many there are.
std::size_t check_lines(const std::string& text) {
  std::map<int, int> last;
  const std::vector<std::string> lines = lines_of(text);
  for (const std::string& line : lines) {
    const int producer = std::stoi(line);
    const int number = std::stoi(line.substr(line.find(' ')));
    REQUIRE(line + '\n' == line_of(producer, number));
    if (last.contains(producer)) REQUIRE(number > last[producer]);
    last[producer] = number;
  }
  return lines.size();
}

}  // namespace

TEST_CASE("ring_writer: every line of every thread is written, whole and in its order") {
  const LogPath path("threads");
  {
    RingWriter writer(path.text());
    REQUIRE(writer.start());
    push_from_threads(writer, 4, 5000);
    writer.stop();
    CHECK(writer.dropped() == 0);
  }
  CHECK(check_lines(read_all(path.text())) == 20'000);
}

TEST_CASE("ring_writer: under pressure lines are lost and counted, none is torn") {
  const LogPath path("pressure");
  RingWriter writer(path.text(), 1024);
  REQUIRE(writer.start());
  push_from_threads(writer, 3, 20'000);
  writer.stop();
  CHECK(check_lines(read_all(path.text())) + writer.dropped() == 60'000);
}

TEST_CASE("ring_writer: a reader that has stopped costs lines, not time") {
  const NamedPipe pipe;
  RingWriter writer(pipe.path.text(), 1U << 18U);
  REQUIRE(writer.start());
  push_from_threads(writer, 2, 20'000);  // nobody reads: what pipe and rings hold, the rest is lost
  CHECK(writer.dropped() > 0);
  std::thread stopper([&writer] { writer.stop(); });
  const std::string text = pipe.drain();
  stopper.join();
  CHECK(check_lines(text) + writer.dropped() == 40'000);
}

TEST_CASE("ring_writer: lines come by themselves, the first after a silence too") {
  const LogPath path("silence");
  RingWriter writer(path.text());
  ByteRing& ring = writer.add_ring();  // before the start, as well as behind it
  REQUIRE(writer.start());
  std::string expected;
  for (int i = 0; i < 5; ++i) {
    expected += line_of(0, i);
    writer.push(ring, line_of(0, i));
    until([&] { return read_all(path.text()) == expected; });
  }
}

TEST_CASE("ring_writer: a line larger than its ring is lost and counted") {
  const LogPath path("large");
  RingWriter writer(path.text(), 64);
  REQUIRE(writer.start());
  ByteRing& ring = writer.add_ring();
  writer.push(ring, std::string(100, 'x') + '\n');
  writer.push(ring, "small\n");
  writer.stop();
  CHECK(writer.dropped() == 1);
  CHECK(read_all(path.text()) == "small\n");
}

TEST_CASE("ring_writer: the path is opened again, also while nothing is written") {
  const LogPath path("rotated");
  const LogPath old("rotated.1");
  RingWriter writer(path.text());
  REQUIRE(writer.start());
  ByteRing& ring = writer.add_ring();
  writer.push(ring, "one\n");
  until([&] { return read_all(path.text()) == "one\n"; });
  REQUIRE(std::rename(path.text().c_str(), old.text().c_str()) == 0);
  writer.reopen();
  until([&] { return ::access(path.text().c_str(), F_OK) == 0; });
  writer.reopen();  // to the same file: nothing happens
  writer.push(ring, "two\n");
  writer.stop();
  CHECK(read_all(old.text()) == "one\n");
  CHECK(read_all(path.text()) == "two\n");
  CHECK(writer.dropped() == 0);
}

TEST_CASE("ring_writer: a full disk takes no line that it can take later") {
  const LogPath path("full");
  RingWriter writer(path.text());
  REQUIRE(writer.start());
  ByteRing& other = writer.add_ring();
  ByteRing& ring = writer.add_ring();
  const FullDisk disk(6);
  writer.push(ring, "one\n");
  writer.push(ring, "two\n");
  until([&] { return read_all(path.text()) == "one\ntw"; });
  writer.push(other, "three\n");  // its ring was first, but a line is half written
  SUBCASE("there is room again") {
    writer.reopen();  // the file is the same
    disk.free();
    writer.stop();
    CHECK(read_all(path.text()) == "one\ntwo\nthree\n");
    CHECK(writer.dropped() == 0);
  }
  SUBCASE("the file was moved away: the new one begins with a whole line") {
    const LogPath old("full.1");
    REQUIRE(std::rename(path.text().c_str(), old.text().c_str()) == 0);
    writer.reopen();
    writer.stop();
    CHECK(read_all(path.text()) == "three\n");
    CHECK(read_all(old.text()) == "one\ntw");
    CHECK(writer.dropped() == 1);
  }
  SUBCASE("the end comes first: the rest is counted") {
    writer.stop();
    CHECK(read_all(path.text()) == "one\ntw");
    CHECK(writer.dropped() == 2);
  }
}

TEST_CASE("ring_writer: a place that takes nothing holds nobody up") {
  RingWriter writer("/dev/full");
  REQUIRE(writer.start());
  push_from_threads(writer, 2, 100);
  writer.stop();
  CHECK(writer.dropped() == 200);
}

}  // namespace tollgate::app
