// Pictures, sounds and files as Gemini takes them: bytes inside the request (`inlineData`) or a URI
// with its media type (`fileData`). Called by the conversation encode; pure.
#pragma once
#include <string>
#include <string_view>

#include "gateway/core/chat.hpp"
#include "gateway/core/error.hpp"

namespace tollgate::routing::gemini {

/// The media type that a path's extension names, or `otherwise`. Query and fragment do not count.
[[nodiscard]] std::string_view mime_of(std::string_view path, std::string_view otherwise);

/// One part as JSON. A remote picture's type is guessed from its extension, image/jpeg where there
/// is none: Gemini wants one, and it looks at the bytes itself. Errors: 400 at `param` for a URL of
/// another scheme, a broken data: URL, a file id of another provider.
[[nodiscard]] Result<std::string> image_part(const ImagePart& image, std::string_view param);
[[nodiscard]] std::string audio_part(const AudioPart& audio);
[[nodiscard]] Result<std::string> file_part(const FilePart& file, std::string_view param);

}  // namespace tollgate::routing::gemini
