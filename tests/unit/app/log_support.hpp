// What the tests of the access log share: paths that are gone afterwards, and waiting for a thread.
#pragma once
#include <chrono>
#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <unistd.h>

namespace tollgate::app::test {

inline std::string read_all(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

/// A path of this process's own; what stands there is removed before and after.
class LogPath {
 public:
  explicit LogPath(const std::string& name)
      : path_(std::filesystem::temp_directory_path() /
              ("tollgate-" + std::to_string(::getpid()) + "-" + name + ".log")) {
    std::filesystem::remove(path_);
  }
  ~LogPath() { std::filesystem::remove(path_); }
  LogPath(const LogPath&) = delete;
  LogPath& operator=(const LogPath&) = delete;
  [[nodiscard]] std::string text() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

/// Lets other threads run until that is so; fails when it takes too long.
template <class Condition>
void until(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    REQUIRE(std::chrono::steady_clock::now() < end);
    std::this_thread::yield();
  }
}

}  // namespace tollgate::app::test
