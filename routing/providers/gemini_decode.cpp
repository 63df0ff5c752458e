// The frame of a chat reply: events of a stream, one JSON object, or an error in any of its coats.
#include <algorithm>

#include "gateway/core/http.hpp"
#include "gateway/wire/json_scan.hpp"
#include "gateway/wire/json_view.hpp"
#include "gateway/wire/sse.hpp"
#include "routing/providers/gemini.hpp"
#include "routing/providers/gemini_reply.hpp"
#include "routing/providers/json_tree.hpp"

namespace tollgate::routing::gemini {
namespace {

using wire::JsonView;

/// A client may have been told nothing yet of a reply that is only half there.
std::unexpected<Error> cut() {
  return fail(ErrorKind::stream_cut, "the provider's reply ended in its middle");
}

std::unexpected<Error> unreadable() {
  return fail(ErrorKind::upstream_error, "the provider's reply is no JSON");
}

class ChatDecoder final : public ReplyDecoder {
 public:
  ChatDecoder(const ResponseHead& head, const DecodeHints& hints)
      : status_(head.status), headers_(head.headers), reader_(hints) {
    const std::string_view type = head.header("content-type");
    const bool events =
        type.empty() ? hints.stream : iequals(type.substr(0, 17), "text/event-stream");
    // Error bodies come as plain JSON, whatever their content type says.
    collects_ = head.status >= 300 || !events;
  }

  Result<void> feed(const std::shared_ptr<Block>& block, std::string_view bytes,
                    Batch& out) override {
    if (collects_) {
      body_ += bytes;
      return {};
    }
    events_.feed(block, bytes);
    for (wire::SseEvent event;;) {
      const auto more = events_.next(out, event);
      if (!more) return std::unexpected(more.error());
      if (!*more) return {};
      if (auto read = read_event(event, out); !read) return read;
    }
  }

  Result<void> finish(Batch& out) override {
    if (status_ >= 300) return std::unexpected(read_error(status_, headers_, body_));
    if (collects_) return read_whole(out);
    wire::SseEvent event;
    const auto last = events_.finish(out, event);
    if (!last) return std::unexpected(last.error());
    if (*last && event.has_data && !is_json(event.data) &&
        wire::trim_json(event.data) != "[DONE]") {
      return cut();
    }
    if (*last) {
      if (auto read = read_event(event, out); !read) return read;
    }
    // A failing server may forget that it was streaming and write its error as it is.
    if (const auto bare = wire::trim_json(body_); !bare.empty()) {
      return std::unexpected(read_error(0, headers_, bare));
    }
    return reader_.finish(false, out);
  }

 private:
  Result<void> read_event(const wire::SseEvent& event, Batch& out) {
    out.begin_frame(event.wire);
    if (!event.has_data) {
      const std::string_view text = wire::trim_json(event.wire);
      if (!body_.empty() || text.starts_with('{') || text.starts_with('[')) body_ += event.wire;
      return {};
    }
    const std::string_view data = wire::trim_json(event.data);
    if (data.empty() || data == "[DONE]") return {};
    if (!is_json(data)) return unreadable();
    return read_response(JsonView(data), out);
  }

  Result<void> read_response(const JsonView& response, Batch& out) {
    if (response.is_array()) {
      for (const JsonView& item : response.items()) {
        if (auto read = read_response(item, out); !read) return read;
      }
      return {};
    }
    if (!response.is_object()) return unreadable();
    if (response["error"]) {
      return std::unexpected(read_error(0, headers_, response.text()));
    }
    return reader_.read(response, out);
  }

  /// One response, or the array of a stream without `alt=sse`.
  Result<void> read_whole(Batch& out) {
    const std::string_view text = wire::trim_json(body_);
    if (text.empty()) return cut();
    if (!is_json(text)) {
      const bool begins_well = text.front() == '{' || text.front() == '[';
      if (begins_well) return cut();
      return unreadable();
    }
    out.begin_frame({});
    const JsonView response(out.store(text));
    if (auto read = read_response(response, out); !read) return read;
    return reader_.finish(response.is_object(), out);
  }

  int status_;
  const HeaderFields& headers_;
  bool collects_ = false;
  ReplyReader reader_;
  wire::SseDecoder events_;
  std::string body_;  ///< a reply that is no stream; of a stream: what is no event
};

}  // namespace

std::unique_ptr<ReplyDecoder> chat_decoder(const ResponseHead& head, const DecodeHints& hints) {
  return std::make_unique<ChatDecoder>(head, hints);
}

}  // namespace tollgate::routing::gemini
