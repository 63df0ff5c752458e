#include "routing/providers/gemini_media.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "gateway/core/http.hpp"
#include "gateway/wire/base64.hpp"
#include "gateway/wire/json_writer.hpp"

namespace tollgate::routing::gemini {
namespace {

struct Extension {
  std::string_view name, mime;
};
constexpr std::array extensions{
    Extension{"png", "image/png"},       Extension{"jpg", "image/jpeg"},
    Extension{"jpeg", "image/jpeg"},     Extension{"webp", "image/webp"},
    Extension{"gif", "image/gif"},       Extension{"bmp", "image/bmp"},
    Extension{"heic", "image/heic"},     Extension{"heif", "image/heif"},
    Extension{"avif", "image/avif"},     Extension{"svg", "image/svg+xml"},
    Extension{"pdf", "application/pdf"}, Extension{"json", "application/json"},
    Extension{"txt", "text/plain"},      Extension{"md", "text/markdown"},
    Extension{"csv", "text/csv"},        Extension{"html", "text/html"},
    Extension{"htm", "text/html"},       Extension{"xml", "text/xml"},
    Extension{"wav", "audio/wav"},       Extension{"mp3", "audio/mp3"},
    Extension{"flac", "audio/flac"},     Extension{"ogg", "audio/ogg"},
    Extension{"aac", "audio/aac"},       Extension{"m4a", "audio/mp4"},
    Extension{"mp4", "video/mp4"},       Extension{"mov", "video/quicktime"},
    Extension{"webm", "video/webm"},     Extension{"mpeg", "video/mpeg"},
    Extension{"mpg", "video/mpeg"}};

struct DataUrl {
  std::string mime, base64;
};

std::optional<std::string> percent_decode(std::string_view text) {
  constexpr std::string_view hex = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const auto high = hex.find(static_cast<char>(text[i + 1] | 0x20));
    const auto low = hex.find(static_cast<char>(text[i + 2] | 0x20));
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    out += static_cast<char>(high << 4U | low);
    i += 2;
  }
  return out;
}

bool is_data_url(std::string_view url) { return iequals(url.substr(0, 5), "data:"); }

/// `data:<mime>[;parameter...][;base64],<bytes>`.
std::optional<DataUrl> read_data_url(std::string_view url) {
  const auto comma = url.find(',');
  if (!is_data_url(url) || comma == std::string_view::npos) return std::nullopt;
  const std::string_view head = url.substr(5, comma - 5);
  const std::string_view body = url.substr(comma + 1);
  DataUrl out;
  out.mime = head.substr(0, head.find(';'));
  if (out.mime.empty()) out.mime = "text/plain";
  const bool base64 = head.size() >= 7 && iequals(head.substr(head.size() - 7), ";base64");
  const auto bytes = base64 ? wire::base64_decode(body) : percent_decode(body);
  if (!bytes) return std::nullopt;
  // What is already in the standard form goes on as it is.
  const bool standard =
      base64 && body.size() % 4 == 0 && body.find_first_of("-_") == std::string_view::npos;
  out.base64 = standard ? std::string(body) : wire::base64_encode(*bytes);
  return out;
}

std::string inline_part(std::string_view mime, std::string_view base64) {
  std::string out;
  wire::JsonWriter json(out);
  json.begin_object().key("inlineData").begin_object();
  json.member("mimeType", mime).member("data", base64);
  json.end_object().end_object();
  return out;
}

std::string uri_part(std::string_view mime, std::string_view uri) {
  std::string out;
  wire::JsonWriter json(out);
  json.begin_object().key("fileData").begin_object();
  json.member("mimeType", mime).member("fileUri", uri);
  json.end_object().end_object();
  return out;
}

bool is_remote(std::string_view url) {
  return iequals(url.substr(0, 8), "https://") || iequals(url.substr(0, 7), "http://") ||
         iequals(url.substr(0, 5), "gs://");
}

constexpr std::string_view any_type = "application/octet-stream";

}  // namespace

std::string_view mime_of(std::string_view path, std::string_view otherwise) {
  path = path.substr(0, path.find_first_of("?#"));
  const auto slash = path.rfind('/');
  if (slash != std::string_view::npos) path.remove_prefix(slash + 1);
  const auto dot = path.rfind('.');
  if (dot == std::string_view::npos) return otherwise;
  const std::string_view name = path.substr(dot + 1);
  const auto found = std::ranges::find_if(
      extensions, [&](const Extension& extension) { return iequals(extension.name, name); });
  return found == extensions.end() ? otherwise : found->mime;
}

Result<std::string> image_part(const ImagePart& image, std::string_view param) {
  if (is_remote(image.url)) return uri_part(mime_of(image.url, "image/jpeg"), image.url);
  const auto data = read_data_url(image.url);
  if (!data) {
    return fail(ErrorKind::invalid_request,
                "an image URL must be https:, gs: or a data: URL with base64", std::string(param));
  }
  return inline_part(data->mime, data->base64);
}

std::string audio_part(const AudioPart& audio) {
  return inline_part("audio/" + audio.format, audio.data);
}

Result<std::string> file_part(const FilePart& file, std::string_view param) {
  if (!file.data.empty()) {
    const bool url = is_data_url(file.data);
    const auto data = read_data_url(file.data);
    if (data) return inline_part(data->mime, data->base64);
    if (!url && wire::base64_decode(file.data)) {
      return inline_part(mime_of(file.filename, any_type), file.data);
    }
    return fail(ErrorKind::invalid_request, "file_data must be a data: URL with base64",
                std::string(param));
  }
  if (is_remote(file.file_id)) {
    const std::string_view named = file.filename.empty() ? file.file_id : file.filename;
    return uri_part(mime_of(named, any_type), file.file_id);
  }
  return fail(ErrorKind::unsupported_parameter,
              "Gemini knows no such file id; send the URI of an uploaded file, or file_data",
              std::string(param));
}

}  // namespace tollgate::routing::gemini
