// What outlives the process: calls that were begun and not taken back, for their time to live,
// whatever a crash left at the file's end.
#include "policies/idempotency/memo_file.hpp"

#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>

#include "tests/unit/config/temporary_folder.hpp"

namespace tollgate::policies {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

struct SetClock final : Clock {
  SystemTime now = time_of(1'800'000'000'000'000);
  [[nodiscard]] SystemTime system() const override { return now; }
};

Digest digest(int i) {
  Digest out{};
  out[0] = static_cast<unsigned char>(i);
  out[31] = 7;
  return out;
}

struct Known {
  std::vector<int> ids;
  std::vector<milliseconds> ages;
};

Known read(const Clock& clock, const std::string& path) {
  MemoFile memo(clock, path, hours(24));
  Known known;
  const auto done = memo.read([&](const Digest& id, const Digest& fingerprint, milliseconds age) {
    CHECK(fingerprint == digest(id[0] + 1));
    known.ids.push_back(id[0]);
    known.ages.push_back(age);
  });
  CHECK(done);
  return known;
}

struct World {
  config::TemporaryFolder folder;
  SetClock clock;
  std::string path = folder.path("memo");
  void begin(MemoFile& memo, int i) const { CHECK(memo.began(digest(i), digest(i + 1))); }
};

}  // namespace

TEST_CASE("begun calls are known to the next process, taken back ones are not") {
  World world;
  CHECK(read(world.clock, world.path).ids.empty());
  {
    MemoFile memo(world.clock, world.path, hours(24));
    for (int i = 0; i < 5; ++i)
      world.begin(memo, i);
    memo.forgotten(digest(1));
    memo.forgotten(digest(3));
    world.begin(memo, 3);  // and ran again
  }
  world.clock.now += hours(1);
  const Known known = read(world.clock, world.path);
  CHECK(known.ids == std::vector{0, 2, 4, 3});
  CHECK(known.ages == std::vector<milliseconds>(4, hours(1)));
  world.clock.now += hours(23);
  CHECK(read(world.clock, world.path).ids.empty());
  const auto mode = std::filesystem::status(world.path).permissions();
  CHECK(mode == (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
}

TEST_CASE("half a record at the end is dropped, a spoilt one skipped, and writing goes on behind") {
  World world;
  {
    MemoFile memo(world.clock, world.path, hours(24));
    for (int i = 0; i < 3; ++i)
      world.begin(memo, i);
  }
  const auto whole = std::filesystem::file_size(world.path);
  std::filesystem::resize_file(world.path, whole - 11);
  {
    std::fstream file(world.path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(16 + 30);
    file.put('\x55');
  }
  CHECK(read(world.clock, world.path).ids == std::vector{1});
  {
    MemoFile memo(world.clock, world.path, hours(24));
    CHECK(memo.read([](const auto&...) {}));
    world.begin(memo, 9);
  }
  CHECK(read(world.clock, world.path).ids == std::vector{1, 9});
}

TEST_CASE("two files take turns: nothing is lost within its time, nothing stays for ever") {
  World world;
  std::uintmax_t most = 0;
  for (int hour = 0; hour < 200; ++hour) {
    MemoFile memo(world.clock, world.path, hours(24));
    CHECK(memo.read([](const auto&...) {}));
    world.begin(memo, hour);
    most = std::max(most, std::filesystem::file_size(world.path));
    world.clock.now += hours(1);
  }
  CHECK(read(world.clock, world.path).ids.size() == 23);
  CHECK(most < 30 * 80);
  CHECK(std::filesystem::file_size(world.path + ".old") < 30 * 80);
}

TEST_CASE("another program's file is not written to; a folder that is not there is an error") {
  World world;
  std::ofstream(world.path) << "something else entirely";
  MemoFile foreign(world.clock, world.path, hours(24));
  CHECK_FALSE(foreign.read([](const auto&...) {}));
  MemoFile nowhere(world.clock, world.path + "/no/such", hours(24));
  CHECK_FALSE(nowhere.began(digest(1), digest(2)));
}

}  // namespace tollgate::policies
