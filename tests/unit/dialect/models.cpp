#include "gateway/wire/dialects/models.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

using namespace tollgate::wire;

TEST_CASE("one model") {
  CHECK(render_model("a/b:\"c\"", 7) ==
        R"({"id":"a/b:\"c\"","object":"model","created":7,"owned_by":"tollgate"})");
}

TEST_CASE("a list of models, also an empty one") {
  CHECK(render_models({}, 7) == R"({"object":"list","data":[]})");
  const std::vector<std::string> names{"x", "y"};
  CHECK(render_models(names, 7) ==
        R"({"object":"list","data":[)" + render_model("x", 7) + "," + render_model("y", 7) + "]}");
}
