#include <doctest/doctest.h>

#include "routing/providers/gemini_media.hpp"

using namespace tollgate;
using namespace tollgate::routing::gemini;

TEST_CASE("types by extension") {
  CHECK(mime_of("https://a.b/c.PNG?x=.gif#y", "no") == "image/png");
  CHECK(mime_of("https://a.b/c", "no") == "no");
  CHECK(mime_of("https://a.pdf/c", "no") == "no");
}

TEST_CASE("pictures inside the request and outside") {
  CHECK(*image_part({"data:image/png;base64,AAAA", ""}, "p") ==
        R"({"inlineData":{"mimeType":"image/png","data":"AAAA"}})");
  CHECK(*image_part({"data:image/svg+xml,%3Csvg/%3E", ""}, "p") ==
        R"({"inlineData":{"mimeType":"image/svg+xml","data":"PHN2Zy8+"}})");
  CHECK(*image_part({"data:image/png;base64,-_8", ""}, "p") ==
        R"({"inlineData":{"mimeType":"image/png","data":"+/8="}})");
  CHECK(*image_part({"https://a.b/c.webp", ""}, "p") ==
        R"({"fileData":{"mimeType":"image/webp","fileUri":"https://a.b/c.webp"}})");
  CHECK(*image_part({"https://a.b/c", ""}, "p") ==
        R"({"fileData":{"mimeType":"image/jpeg","fileUri":"https://a.b/c"}})");
}

TEST_CASE("what is no picture is a 400 at its place") {
  for (std::string url : {"file:///etc/passwd", "data:image/png;base64", "data:;base64,??", "x"}) {
    CAPTURE(url);
    const auto part = image_part({url, ""}, "messages[0].content");
    REQUIRE(!part);
    CHECK(part.error().param == "messages[0].content");
  }
}

TEST_CASE("sounds and files") {
  CHECK(audio_part({"AAAA", "mp3"}) == R"({"inlineData":{"mimeType":"audio/mp3","data":"AAAA"}})");
  CHECK(*file_part({"data:application/pdf;base64,AAAA", "", "a.pdf"}, "p") ==
        R"({"inlineData":{"mimeType":"application/pdf","data":"AAAA"}})");
  CHECK(*file_part({"AAAA", "", "a.pdf"}, "p") ==
        R"({"inlineData":{"mimeType":"application/pdf","data":"AAAA"}})");
  CHECK(*file_part({"", "gs://b/a.pdf", ""}, "p") ==
        R"({"fileData":{"mimeType":"application/pdf","fileUri":"gs://b/a.pdf"}})");
  CHECK(!file_part({"", "file-123", ""}, "p"));
  CHECK(!file_part({"data:application/pdf", "", ""}, "p"));
}
