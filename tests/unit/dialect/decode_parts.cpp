// Content parts of every kind.
#include "support.hpp"

using namespace tollgate;
using namespace tollgate::wire;
using namespace tollgate::wire::test;

namespace {

std::string with_parts(std::string_view parts) {
  return chat_of(R"({"role":"user","content":[)" + std::string(parts) + "]}");
}

template <class T>
T only_part(std::string_view part) {
  const ChatRequest request = decode(with_parts(part));
  REQUIRE(request.messages[0].content.size() == 1);
  return std::get<T>(request.messages[0].content[0].value);
}

}  // namespace

TEST_CASE("text parts, with their cache mark") {
  const ChatRequest r = decode(
      with_parts(R"({"type":"text","text":"a"},{"cache_control":{"type":"ephemeral","ttl":"1h"},)"
                 R"("text":"b","type":"text"})"));
  const auto& content = r.messages[0].content;
  REQUIRE(content.size() == 2);
  CHECK_FALSE(r.messages[0].content_is_string);
  CHECK(std::get<TextPart>(content[0].value).text == "a");
  CHECK(content[0].cache_control_json.empty());
  CHECK(std::get<TextPart>(content[1].value).text == "b");
  CHECK(content[1].cache_control_json == R"({"type":"ephemeral","ttl":"1h"})");
}

TEST_CASE("images by URL, with or without detail, or as a plain string") {
  const auto full = only_part<ImagePart>(
      R"({"type":"image_url","image_url":{"url":"https://x/y.png","detail":"low"}})");
  CHECK(full.url == "https://x/y.png");
  CHECK(full.detail == "low");
  CHECK(
      only_part<ImagePart>(R"({"type":"image_url","image_url":{"url":"data:,"}})").detail.empty());
  CHECK(only_part<ImagePart>(R"({"type":"image_url","image_url":"https://z"})").url == "https://z");
}

TEST_CASE("audio and files") {
  const auto audio = only_part<AudioPart>(
      R"({"type":"input_audio","input_audio":{"data":"QQ==","format":"wav"}})");
  CHECK(audio.data == "QQ==");
  CHECK(audio.format == "wav");
  const auto file = only_part<FilePart>(
      R"({"type":"file","file":{"file_data":"data:application/pdf;base64,QQ==",)"
      R"("filename":"a.pdf"}})");
  CHECK(file.data == "data:application/pdf;base64,QQ==");
  CHECK(file.filename == "a.pdf");
  CHECK(only_part<FilePart>(R"({"type":"file","file":{"file_id":"file-1"}})").file_id == "file-1");
}

TEST_CASE("refusals and thinking as parts") {
  CHECK(only_part<RefusalPart>(R"({"type":"refusal","refusal":"no"})").text == "no");
  const ChatRequest r = decode(
      chat_of(R"({"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"s",)"
              R"("cache_control":{}},)"
              R"({"type":"text","text":"x"}]})"));
  REQUIRE(r.messages[0].thinking.size() == 1);
  CHECK(r.messages[0].thinking[0].signature == "s");
  CHECK(r.messages[0].content.size() == 1);
}

TEST_CASE("malformed parts name their place") {
  const auto first = [](std::string_view part, std::string_view param) {
    check_invalid(with_parts(part), "messages[0].content[0]" + std::string(param));
  };
  first(R"("text")", "");
  first(R"({"text":"x"})", ".type");
  first(R"({"type":"video"})", ".type");
  first(R"({"type":"text"})", ".text");
  first(R"({"type":"text","text":null})", ".text");
  first(R"({"type":"text","text":5})", ".text");
  first(R"({"type":"image_url"})", ".image_url");
  first(R"({"type":"image_url","image_url":5})", ".image_url");
  first(R"({"type":"image_url","image_url":{}})", ".image_url.url");
  first(R"({"type":"image_url","image_url":{"url":""}})", ".image_url");
  first(R"({"type":"input_audio","input_audio":{"data":"x"}})", ".input_audio.format");
  first(R"({"type":"file","file":{"filename":"x"}})", ".file.file_data");
  first(R"({"type":"text","text":"x","cache_control":true})", ".cache_control");
}
