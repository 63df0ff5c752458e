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

  /// 0, 1 and 2 began, 1 was taken back; the last record is spoilt. Sums as that version made them.
  void write_first_version(const std::string& where) const {
    std::ofstream file(where, std::ios::binary);
    file << "tollgate memo 1\n";
    const std::int64_t micros = micros_of(clock.now);
    const auto put = [&](std::uint32_t kind, std::uint32_t sum, int i, const Digest& print) {
      const Digest id = digest(i);
      file.write(reinterpret_cast<const char*>(&kind), sizeof kind);
      file.write(reinterpret_cast<const char*>(&sum), sizeof sum);
      file.write(reinterpret_cast<const char*>(&micros), sizeof micros);
      file.write(reinterpret_cast<const char*>(id.data()), sizeof id);
      file.write(reinterpret_cast<const char*>(print.data()), sizeof print);
    };
    put(1, 0x934ae7bfU, 0, digest(1));
    put(1, 0x4d72113eU, 1, digest(2));
    put(1, 0xa5d743f3U, 2, digest(3));
    put(2, 0x5482ffe5U, 1, Digest{});
    put(1, 0x55U, 5, digest(6));
  }
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

TEST_CASE("a file of the first version is read, and goes on as one of this") {
  World world;
  world.write_first_version(world.path);
  world.write_first_version(world.path + ".old");
  CHECK(read(world.clock, world.path).ids == std::vector{0, 2});
  {
    MemoFile memo(world.clock, world.path, hours(24));
    CHECK(memo.read([](const auto&...) {}));
    world.begin(memo, 9);
    memo.forgotten(digest(2));
  }
  CHECK(read(world.clock, world.path).ids == std::vector{0, 9});
  std::ifstream file(world.path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), {});
  CHECK(bytes.starts_with("tollgate memo 2\n"));
  CHECK(bytes.size() == 16 + 6 * 80);
  CHECK_FALSE(std::filesystem::exists(world.path + ".new"));
}

TEST_CASE("a file of the first version stays where it cannot be rewritten, and nobody starts") {
  World world;
  world.write_first_version(world.path);
  std::filesystem::create_directory(world.path + ".new");
  MemoFile memo(world.clock, world.path, hours(24));
  const auto done = memo.read([](const auto&...) {});
  REQUIRE_FALSE(done);
  CHECK(done.error().message.find("cannot be rewritten") != std::string::npos);
  CHECK(std::filesystem::file_size(world.path) == 16 + 4 * 80 + 80);
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
