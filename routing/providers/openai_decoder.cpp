// The openai decoder: finds out which kind of reply comes (error body, whole reply, stream), takes
// it apart and hands the JSON to ReplyReader.
#include <algorithm>

#include "gateway/wire/json_scan.hpp"
#include "gateway/wire/sse.hpp"
#include "routing/providers/collected.hpp"
#include "routing/providers/json_tree.hpp"
#include "routing/providers/openai.hpp"
#include "routing/providers/openai_embeddings.hpp"
#include "routing/providers/openai_error.hpp"
#include "routing/providers/openai_repeat.hpp"
#include "routing/providers/openai_reply.hpp"

namespace tollgate::routing::openai {
namespace {

Error not_json(std::string_view body) {
  Error error = make_error(ErrorKind::upstream_error, "the provider's reply is no JSON");
  constexpr std::size_t shown = 200;
  error.detail = mask_secrets(body.substr(0, shown));
  return error;
}

/// A 4xx, 5xx, or a redirect, which is never followed.
class ErrorDecoder final : public ReplyDecoder {
 public:
  explicit ErrorDecoder(const ResponseHead& head) : head_(head) {}

  Result<void> feed(const std::shared_ptr<Block>& block, std::string_view bytes, Batch&) override {
    body_.add(block, bytes);
    return {};
  }
  Result<void> finish(Batch& out) override {
    const std::string_view body = body_.join(out);
    return std::unexpected(
        map_upstream_error(head_.status, head_.headers, read_error_body(head_.status, body)));
  }

 private:
  const ResponseHead& head_;
  Collected body_;
};

class OkDecoder final : public ReplyDecoder {
 public:
  OkDecoder(const ResponseHead& head, const DecodeHints& hints)
      : head_(head),
        hints_(hints),
        raw_(hints.relay && !hints.full_events),
        reader_(raw_, hints.id_seed) {}

  Result<void> feed(const std::shared_ptr<Block>& block, std::string_view bytes,
                    Batch& out) override {
    const bool undecided = shape_ == Shape::unknown;
    if (undecided) look(bytes);
    if (shape_ != Shape::stream) {
      body_.add(block, bytes);
      return {};
    }
    if (undecided) {
      auto begun = begin_stream(out);
      if (!begun) return begun;
    }
    sse_.feed(block, bytes);
    return drain(out);
  }
  Result<void> finish(Batch& out) override {
    if (shape_ == Shape::unknown && hints_.stream) {
      shape_ = Shape::stream;
      auto begun = begin_stream(out);
      if (!begun) return begun;
    }
    return shape_ == Shape::stream ? finish_stream(out) : finish_whole(out);
  }

 private:
  enum class Shape : std::uint8_t { unknown, whole, stream };

  void look(std::string_view bytes);
  Result<void> begin_stream(Batch& out);
  Result<void> drain(Batch& out);
  Result<void> event(const wire::SseEvent& event, Batch& out);
  Result<void> chunk(const wire::SseEvent& event, std::string_view data, Batch& out);
  Result<void> read_chunk(const wire::SseEvent& event, std::string_view data, Batch& out);
  void learn(std::string_view data, const Batch& out);
  Result<void> finish_stream(Batch& out);
  Result<void> finish_whole(Batch& out);
  Result<void> check(const ReplyText& reply, std::string_view object) const;
  void open_frame(std::string_view wire, Batch& out) const;

  const ResponseHead& head_;
  const DecodeHints& hints_;
  bool raw_;  // a relay: texts are only counted
  ReplyReader reader_;
  RepeatedChunk repeated_;
  ReplyText text_;  // what is being read; kept for its memory
  wire::SseDecoder sse_;
  Collected body_;
  Shape shape_ = Shape::unknown;
  bool other_shape_ = false;  // not the shape that was asked for: the bytes cannot be relayed
  bool done_ = false;
};

/// Goes by the first byte that is not blank: content types lie, and a stream that was asked for may
/// come whole.
void OkDecoder::look(std::string_view bytes) {
  const auto first = std::ranges::find_if_not(bytes, wire::is_json_space);
  if (first == bytes.end()) return;
  const char c = *first;
  const bool whole =
      hints_.stream ? c == '{' || c == '[' || c == '<' : c != 'd' && c != ':' && c != 'e';
  shape_ = whole ? Shape::whole : Shape::stream;
  if (whole != hints_.stream) return;
  other_shape_ = true;
  raw_ = false;
  reader_ = ReplyReader(false, hints_.id_seed);
}

/// Blank bytes that came before the shape was known are part of the stream.
Result<void> OkDecoder::begin_stream(Batch& out) {
  for (const Collected::Piece& piece : body_.pieces()) {
    sse_.feed(piece.block, piece.bytes);
    auto drained = drain(out);
    if (!drained) return drained;
  }
  return {};
}

void OkDecoder::open_frame(std::string_view wire, Batch& out) const {
  out.begin_frame(wire);
  out.frames.back().changed = other_shape_;
}

Result<void> OkDecoder::drain(Batch& out) {
  wire::SseEvent event;
  for (;;) {
    auto more = sse_.next(out, event);
    if (!more) return std::unexpected(more.error());
    if (!*more) return {};
    auto taken = this->event(event, out);
    if (!taken) return taken;
  }
}

Result<void> OkDecoder::event(const wire::SseEvent& event, Batch& out) {
  const std::string_view data = wire::trim_json(event.data);
  if (!event.has_data || data.empty()) {
    open_frame(event.wire, out);
    return {};
  }
  if (data.starts_with("[DONE]")) {
    if (!done_ && !reader_.any_choice()) {
      return fail(ErrorKind::upstream_error, "the provider sent an empty stream");
    }
    open_frame(event.wire, out);
    if (!done_) reader_.end(out);
    done_ = true;
    return {};
  }
  return done_ ? Result<void>{} : chunk(event, data, out);
}

/// Most chunks repeat the last one but for a text.
Result<void> OkDecoder::chunk(const wire::SseEvent& event, std::string_view data, Batch& out) {
  std::string_view text;
  if (!event.event.empty() || !repeated_.matches(data, text)) return read_chunk(event, data, out);
  open_frame(event.wire, out);
  if (!text.empty()) out.push(TextDelta{reader_.only_choice(), text});
  return {};
}

Result<void> OkDecoder::read_chunk(const wire::SseEvent& event, std::string_view data, Batch& out) {
  text_.clear();
  if (!text_.read(data, "delta")) return std::unexpected(not_json(data));
  // After every choice has finished an error changes nothing that the client has.
  if (!reader_.all_finished()) {
    auto checked = check(text_, data);
    if (!checked) return checked;
    if (event.event == "error") {
      return std::unexpected(map_upstream_error(0, head_.headers, read_error_body(0, data)));
    }
  }
  open_frame(event.wire, out);
  auto read = reader_.chunk(text_, out);
  if (read && raw_ && event.event.empty()) learn(data, out);
  return read;
}

/// What may be repeated: one text of the only choice, and nothing beside it that is remembered from
/// chunk to chunk.
void OkDecoder::learn(std::string_view data, const Batch& out) {
  if (out.frames.back().event_count != 1 || !text_.says_only_text()) return;
  const auto* delta = std::get_if<TextDelta>(&out.events.back());
  if (delta != nullptr && reader_.has_one_choice()) repeated_.learn(data, delta->text);
}

Result<void> OkDecoder::check(const ReplyText& reply, std::string_view object) const {
  if (reply.error.empty() && reply.kind != "\"error\"") return {};
  const auto reported = read_error_inside(object);
  if (!reported) return {};
  return std::unexpected(map_upstream_error(0, head_.headers, *reported));
}

Result<void> OkDecoder::finish_stream(Batch& out) {
  wire::SseEvent last;
  auto more = sse_.finish(out, last);
  if (!more) return std::unexpected(more.error());
  if (*more) {
    const std::string_view data = wire::trim_json(last.data);
    const bool half =
        last.has_data && !data.empty() && !data.starts_with("[DONE]") && !is_json(data);
    if (half && !reader_.all_finished()) {
      return fail(ErrorKind::stream_cut, "the provider's stream ended inside an event");
    }
    auto taken = half ? Result<void>{} : event(last, out);
    if (!taken) return taken;
  }
  if (done_) return {};
  if (!reader_.any_choice()) {
    return fail(ErrorKind::upstream_error, "the provider sent an empty stream");
  }
  if (!reader_.all_finished()) {
    return fail(ErrorKind::stream_cut, "the provider's stream ended before the reply did");
  }
  done_ = true;
  out.begin_frame({});
  reader_.end(out);
  return {};
}

Result<void> OkDecoder::finish_whole(Batch& out) {
  const std::string_view body = body_.join(out);
  const std::string_view object = wire::trim_json(body);
  if (object.empty()) return fail(ErrorKind::upstream_error, "the provider sent an empty reply");
  if (!text_.read(object, "message")) return std::unexpected(not_json(object));
  auto checked = check(text_, object);
  if (!checked) return checked;
  open_frame(body, out);
  if (hints_.endpoint == Endpoint::embeddings) {
    auto read = read_embeddings(object, !hints_.relay || hints_.full_events || other_shape_, out);
    if (read) out.push(Ended{});
    return read;
  }
  auto read = reader_.whole(text_, out);
  if (read) reader_.end(out);
  return read;
}

}  // namespace

std::unique_ptr<ReplyDecoder> make_decoder(const ResponseHead& head, const DecodeHints& hints) {
  if (head.status < 200 || head.status >= 300) return std::make_unique<ErrorDecoder>(head);
  return std::make_unique<OkDecoder>(head, hints);
}

}  // namespace tollgate::routing::openai
