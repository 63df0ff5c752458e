#include <doctest/doctest.h>

#include "routing/providers/anthropic_request.hpp"

using namespace tollgate;
using namespace tollgate::routing::anthropic;

namespace {

Block marked(std::string_view text) {
  Block block = Block::of_text(std::string(text));
  block.cache_control = R"({"type":"ephemeral"})";
  return block;
}

struct Marks {
  ToolPlan tools;
  Prompt prompt;
  Notes notes;

  Marks() {
    tools.tools = {marked("tool")};
    prompt.system = {marked("system")};
    prompt.turns = {{false, {marked("one"), marked("two")}}, {true, {marked("three")}}};
  }
  [[nodiscard]] std::size_t kept() const {
    std::size_t count = !tools.tools[0].cache_control.empty();
    count += !prompt.system[0].cache_control.empty();
    for (const Turn& turn : prompt.turns) {
      for (const Block& block : turn.blocks)
        count += !block.cache_control.empty();
    }
    return count;
  }
};

}  // namespace

TEST_CASE("four marks at most, the last ones") {
  Marks marks;
  REQUIRE(limit_cache_marks(marks.tools, marks.prompt, false, marks.notes));
  CHECK(marks.kept() == 4);
  CHECK(marks.tools.tools[0].cache_control.empty());
  CHECK(!marks.prompt.turns[1].blocks[0].cache_control.empty());
  CHECK(marks.notes.dropped == std::vector<std::string>{"cache_control"});
}

TEST_CASE("automatic caching takes one place") {
  Marks marks;
  REQUIRE(limit_cache_marks(marks.tools, marks.prompt, true, marks.notes));
  CHECK(marks.kept() == 3);
  CHECK(marks.prompt.system[0].cache_control.empty());
}

TEST_CASE("what fits stays") {
  Marks marks;
  marks.tools.tools[0].cache_control.clear();
  REQUIRE(limit_cache_marks(marks.tools, marks.prompt, false, marks.notes));
  CHECK(marks.kept() == 4);
  CHECK(marks.notes.dropped.empty());
}
