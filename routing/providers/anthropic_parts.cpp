// Content parts as content blocks: text, images, documents.
#include <algorithm>
#include <array>

#include "gateway/core/http.hpp"
#include "gateway/wire/base64.hpp"
#include "gateway/wire/json_writer.hpp"
#include "routing/providers/anthropic_request.hpp"

namespace tollgate::routing::anthropic {
namespace {

using wire::JsonWriter;

constexpr std::string_view files_beta = "files-api-2025-04-14";
constexpr std::array<std::string_view, 4> image_types{"image/jpeg", "image/png", "image/gif",
                                                      "image/webp"};

struct DataUrl {
  std::string media_type;
  std::string_view data;
};

/// "data:image/png;base64,AAAA"; nothing for another scheme or encoding.
std::optional<DataUrl> read_data_url(std::string_view url) {
  const auto comma = url.find(',');
  if (comma == std::string_view::npos || !iequals(url.substr(0, 5), "data:")) return std::nullopt;
  std::string_view head = url.substr(5, comma - 5);
  if (!head.ends_with(";base64")) return std::nullopt;
  head = head.substr(0, head.find(';'));
  DataUrl out{std::string(head), url.substr(comma + 1)};
  std::ranges::transform(out.media_type, out.media_type.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  if (out.media_type == "image/jpg") out.media_type = "image/jpeg";
  return out;
}

bool is_web_url(std::string_view url) {
  return url.starts_with("https://") || url.starts_with("http://");
}

std::unexpected<Error> no_equivalent(const std::string& what, const Place& where) {
  return fail(ErrorKind::unsupported_parameter, what + " cannot be sent to this provider",
              where.name());
}

/// {"type":"image"|"document","source":{"type":TYPE, MEMBER: value, ...}}
class SourceBlock {
 public:
  SourceBlock(std::string_view block_type, std::string_view source_type) : w_(json_) {
    w_.begin_object().member("type", block_type).key("source").begin_object();
    w_.member("type", source_type);
  }
  SourceBlock& with(std::string_view name, std::string_view value) {
    w_.member(name, value);
    return *this;
  }
  Block done(std::string_view title = {}) {
    w_.end_object();
    if (!title.empty()) w_.member("title", title.substr(0, title_bytes_max));
    w_.end_object();
    return Block::of_json(std::move(json_));
  }

 private:
  static constexpr std::size_t title_bytes_max = 500;
  std::string json_;
  JsonWriter w_;
};

Block inline_block(std::string_view type, const DataUrl& url, std::string_view title = {}) {
  SourceBlock block(type, "base64");
  return block.with("media_type", url.media_type).with("data", url.data).done(title);
}

bool is_image(const DataUrl& url) {
  return std::ranges::find(image_types, url.media_type) != image_types.end();
}

Result<Block> image_block(const ImagePart& image, const Place& where) {
  if (is_web_url(image.url)) return SourceBlock("image", "url").with("url", image.url).done();
  const auto url = read_data_url(image.url);
  if (!url) {
    return fail(ErrorKind::invalid_request, "an image must be a https: or a base64 data: URL",
                where.name());
  }
  if (is_image(*url)) return inline_block("image", *url);
  return no_equivalent("An image of type '" + url->media_type + "'", where);
}

Result<Block> text_document(const DataUrl& url, const FilePart& file, const Place& where) {
  const auto text = wire::base64_decode(url.data);
  if (!text) return fail(ErrorKind::invalid_request, "file_data is no base64", where.name());
  SourceBlock block("document", "text");
  return block.with("media_type", "text/plain").with("data", *text).done(file.filename);
}

/// Bare base64 is what some clients send; the file's name then has to tell its type.
DataUrl guess_type(const FilePart& file) {
  return {file.filename.ends_with(".pdf") ? "application/pdf" : "unknown", file.data};
}

Result<Block> file_block(const FilePart& file, const Place& where, Notes& notes) {
  if (!file.file_id.empty()) {
    notes.need_beta(files_beta);
    return SourceBlock("document", "file").with("file_id", file.file_id).done(file.filename);
  }
  if (is_web_url(file.data)) {
    return SourceBlock("document", "url").with("url", file.data).done(file.filename);
  }
  const DataUrl url = read_data_url(file.data).value_or(guess_type(file));
  if (url.media_type == "application/pdf") return inline_block("document", url, file.filename);
  if (url.media_type.starts_with("text/")) return text_document(url, file, where);
  if (is_image(url)) return inline_block("image", url);
  return no_equivalent("A file of type '" + url.media_type + "'", where);
}

class PartEncoder {
 public:
  PartEncoder(const Place& where, Notes& notes, std::vector<Block>& out)
      : where_(where), notes_(notes), out_(out) {}
  Result<void> operator()(const TextPart& part) const { return text(part.text); }
  Result<void> operator()(const RefusalPart& part) const { return text(part.text); }
  Result<void> operator()(const ImagePart& part) const { return add(image_block(part, where_)); }
  Result<void> operator()(const AudioPart&) const { return no_equivalent("Audio", where_); }
  Result<void> operator()(const FilePart& part) const {
    return add(file_block(part, where_, notes_));
  }

 private:
  [[nodiscard]] Result<void> text(std::string_view text) const {
    if (!is_blank(text)) out_.push_back(Block::of_text(text));
    return {};
  }
  [[nodiscard]] Result<void> add(Result<Block> block) const {
    if (!block) return std::unexpected(block.error());
    out_.push_back(std::move(*block));
    return {};
  }

  const Place& where_;
  Notes& notes_;
  std::vector<Block>& out_;
};

}  // namespace

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n\f\v") == std::string_view::npos;
}

std::string Place::name() const {
  std::string name = "messages[" + std::to_string(message) + "].content";
  if (part) name += "[" + std::to_string(*part) + "]";
  return name;
}

Result<void> add_part(const Part& part, const Place& where, Notes& notes, std::vector<Block>& out) {
  const std::size_t before = out.size();
  if (auto added = std::visit(PartEncoder(where, notes, out), part.value); !added) return added;
  if (out.size() > before && !part.cache_control_json.empty()) {
    out.back().cache_control = part.cache_control_json;
  }
  return {};
}

}  // namespace tollgate::routing::anthropic
