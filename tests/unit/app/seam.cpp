// Where two providers' texts meet: nothing twice, nothing lost, wherever the second one is cut.
#include "gateway/app/seam.hpp"

#include <doctest/doctest.h>

namespace tollgate::app {
namespace {

/// What the client gets behind `so_far`, with the continuation cut into pieces of `size` bytes.
std::string sewn(std::string_view so_far, std::string_view more, Seam::Start start,
                 std::size_t size) {
  Seam seam{std::string(so_far), start};
  std::string shown;
  for (std::size_t at = 0; at < more.size(); at += size)
    shown += seam.feed(more.substr(at, size));
  return shown + seam.finish();
}

struct Case {
  std::string_view so_far, more, shown;
};

void check(const Case& of, Seam::Start start) {
  CAPTURE(of.so_far);
  CAPTURE(of.more);
  for (std::size_t size = 1; size <= of.more.size() + 1; ++size)
    CHECK(sewn(of.so_far, of.more, start, size) == of.shown);
}

}  // namespace

TEST_CASE("what a prompted model says again is taken out, wherever it begins") {
  for (const Case& of : std::initializer_list<Case>{
           {"The quick brown", "brown fox", " fox"},
           {"The quick brown", "quick brown fox", " fox"},
           {"The quick brown", "The quick brown fox", " fox"},
           {"The quick brown", "\n quick brown fox", " fox"},
           {"The quick bro", "quick brown fox", "wn fox"},
           {"The quick brown", " fox", " fox"},
           {"The quick bro", "wn fox", "wn fox"},
           {"The quick brown", "brown", ""},
           {"The quick brown", "broth", "broth"},
           {"no no no", "no no no more", " more"},
           {"a fa", "a far cry", "r cry"},
           {"日本語のテキスト", "テキストは続く", "は続く"},
           {"", "All of it", "All of it"},
       })
    check(of, Seam::Start::with_last_words);
}

TEST_CASE("white space at the seam stands once, and as the text had it") {
  for (const Case& of : std::initializer_list<Case>{
           {"one ", " two", "two"},
           {"one ", "two", "two"},
           {"one", " two", " two"},
           {"one\n", "\n\ntwo", "\ntwo"},
           {"one\n\n", "\ntwo", "two"},
           {"one ", "\n\ntwo", "\n\ntwo"},
           {" \n", "two", "two"},
       }) {
    check(of, Seam::Start::behind);
  }
  check({"has one ", "has one two", "two"}, Seam::Start::with_last_words);
  check({"has one\n\n", "has one\ntwo", "two"}, Seam::Start::with_last_words);
}

TEST_CASE("behind a prefill a short repetition is the model's own") {
  for (const Case& of : std::initializer_list<Case>{
           {"she had", " had enough", " had enough"},
           {"ha", "ha", "ha"},
           {"1, 1", "1, 2", "1, 2"},
           {"It was a dark and stormy", "dark and stormy night", " night"},
       })
    check(of, Seam::Start::behind);
}

TEST_CASE("text is held back only while it may be a repetition") {
  Seam seam("The quick brown", Seam::Start::with_last_words);
  CHECK(seam.feed("bro").empty());
  CHECK(seam.feed("ker") == "broker");
  CHECK(seam.feed("s") == "s");
  CHECK(seam.finish().empty());
}

TEST_CASE("the last words are whole ones") {
  CHECK(last_words("one two three four five six \n") == "two three four five six");
  CHECK(last_words("one") == "one");
  CHECK(last_words("") == "");
  CHECK(last_words(std::string(100, 'x')).size() == 80);
  std::string wide;
  for (int i = 0; i < 50; ++i)
    wide += "語";
  CHECK(last_words(wide).size() == 78);
}

}  // namespace tollgate::app
