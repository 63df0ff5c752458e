// Envelopes: what went in comes out, for whoever has the key and asks under the same name; a bit
// anywhere, another name, another key or a frame that would burst memory is nothing at all.
#include "policies/cache/envelope.hpp"

#include <doctest/doctest.h>
#include <zstd.h>

#include "policies/cache/packing.hpp"

namespace tollgate::cache {
namespace {

constexpr std::size_t large = 1U << 20U;

SealKey key(std::string id, unsigned char fill) {
  SealKey made{std::move(id), {}};
  made.bytes.fill(fill);
  return made;
}

const Envelope& plain() {
  static const Envelope made;
  return made;
}
const Envelope& sealing() {
  static const Envelope made({key("k1", 7)});
  return made;
}

std::string text() {
  std::string made = "What does it cost?";
  for (int i = 0; i < 50; ++i)
    made += std::to_string(i * i);
  return made;
}

TEST_CASE("what was sealed opens under its name, whatever it is") {
  for (const Envelope* envelope : {&plain(), &sealing()}) {
    for (const std::string& bytes :
         {std::string(), std::string(1, '\0'), text(), std::string(100'000, 'a')}) {
      const std::string sealed = envelope->seal("name", bytes);
      CHECK(envelope->open("name", sealed, large) == bytes);
      CHECK_FALSE(envelope->open("game", sealed, large));
      CHECK_FALSE(envelope->open("", sealed, large));
    }
  }
}

TEST_CASE("a flipped bit or a missing byte, anywhere, and nothing is opened") {
  for (const Envelope* envelope : {&plain(), &sealing()}) {
    const std::string sealed = envelope->seal("name", text());
    for (std::size_t at = 0; at < sealed.size(); ++at) {
      for (int bit = 0; bit < 8; ++bit) {
        std::string damaged = sealed;
        damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
        CAPTURE(at);
        CHECK_FALSE(envelope->open("name", damaged, large));
      }
      CHECK_FALSE(envelope->open("name", sealed.substr(0, at), large));
    }
    CHECK_FALSE(envelope->open("name", sealed + '\0', large));
  }
}

TEST_CASE("sealed, nothing of the text can be read and no two envelopes are the same") {
  const std::string secret = "a text that is too short to be packed";
  const std::string sealed = sealing().seal("name", secret);
  CHECK(sealed.find(secret.substr(0, 8)) == std::string::npos);
  CHECK(plain().seal("name", secret).find(secret) != std::string::npos);
  CHECK(sealed != sealing().seal("name", secret));
}

TEST_CASE("the first key seals and all of them open") {
  const Envelope before({key("k1", 1)});
  const Envelope both({key("k2", 2), key("k1", 1)});
  const Envelope after({key("k2", 2)});
  CHECK(both.open("name", before.seal("name", "x"), large) == "x");
  const std::string fresh = both.seal("name", "y");
  CHECK(after.open("name", fresh, large) == "y");
  CHECK_FALSE(before.open("name", fresh, large));
  // The same id over another key.
  CHECK_FALSE(Envelope({key("k2", 3)}).open("name", fresh, large));
}

TEST_CASE("who has keys believes no plain envelope, who has none opens no sealed one") {
  CHECK_FALSE(sealing().open("name", plain().seal("name", "x"), large));
  CHECK_FALSE(plain().open("name", sealing().seal("name", "x"), large));
}

TEST_CASE("what would unpack to more than there is room for is not unpacked") {
  for (const Envelope* envelope : {&plain(), &sealing()}) {
    const std::string bomb = envelope->seal("name", std::string(1U << 24U, '\0'));
    CHECK(bomb.size() < 4096);
    CHECK_FALSE(envelope->open("name", bomb, large));
    CHECK(envelope->open("name", envelope->seal("name", std::string(100, 'a')), 100));
    CHECK_FALSE(envelope->open("name", envelope->seal("name", std::string(101, 'a')), 100));
  }
}

TEST_CASE("a frame that does not say how large it is is none of ours") {
  const std::string content(50'000, 'a');
  std::string frame(ZSTD_compressBound(content.size()), '\0');
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
  frame.resize(ZSTD_compress2(context, frame.data(), frame.size(), content.data(), content.size()));
  ZSTD_freeCCtx(context);
  CHECK_FALSE(unpack(frame, large));
  CHECK(unpack(pack(content), large) == content);
  CHECK_FALSE(unpack(pack(content) + pack(content), large));
  CHECK_FALSE(unpack("no frame at all", large));
}

}  // namespace
}  // namespace tollgate::cache
