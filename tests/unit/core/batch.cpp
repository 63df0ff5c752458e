#include <doctest/doctest.h>
#include <string>

#include "gateway/core/block.hpp"

namespace tollgate {

TEST_CASE("what is stored stays where it is while the batch grows") {
  Batch batch;
  std::vector<std::string_view> views;
  for (int i = 0; i < 2000; ++i)
    views.push_back(batch.store("text " + std::to_string(i)));
  const std::string long_text(100'000, 'x');
  views.push_back(batch.store(long_text));
  for (std::size_t i = 0; i < 2000; ++i)
    CHECK(views[i] == "text " + std::to_string(i));
  CHECK(views.back() == long_text);
}

TEST_CASE("a kept block outlives the batch's reuse") {
  Batch batch;
  const std::string_view text = batch.store("kept");
  const std::shared_ptr<Block> kept = batch.blocks.front();
  batch.clear();
  CHECK(batch.store("other").data() != text.data());
  CHECK(text == "kept");
}

TEST_CASE("a block that nobody keeps is used again") {
  Batch batch;
  const char* first = batch.store("one").data();
  batch.clear();
  CHECK(batch.store("two").data() == first);
}

TEST_CASE("events belong to the frame that was opened last") {
  Batch batch;
  batch.begin_frame("a");
  batch.push(TextDelta{0, "x"});
  batch.push(Finished{});
  batch.begin_frame("b");
  batch.begin_frame("c");
  batch.push(Ended{});
  REQUIRE(batch.frames.size() == 3);
  CHECK(batch.frames[0].event_count == 2);
  CHECK(batch.frames[1].event_count == 0);
  CHECK(batch.frames[2].first_event == 2);
  CHECK(batch.frames[2].event_count == 1);
}

TEST_CASE("content is what a client would see") {
  CHECK(is_content(TextDelta{}));
  CHECK(is_content(ToolDelta{}));
  CHECK(is_content(ReasoningDelta{}));
  CHECK(is_content(Finished{}));
  CHECK_FALSE(is_content(Started{}));
  CHECK_FALSE(is_content(UsageEvent{}));
  CHECK_FALSE(is_content(Ended{}));
}

}  // namespace tollgate
