#include "routing/providers/anthropic_decode.hpp"

#include <array>
#include <optional>
#include <simdjson.h>

#include "gateway/wire/json_shape.hpp"
#include "gateway/wire/scan.hpp"
#include "gateway/wire/sse.hpp"
#include "routing/providers/anthropic_blocks.hpp"
#include "routing/providers/collected.hpp"
#include "routing/providers/openai_repeat.hpp"

namespace tollgate::routing::anthropic {
namespace {

using wire::JsonObject;
using wire::JsonView;

std::unexpected<Error> unreadable(std::string_view what) {
  return fail(ErrorKind::upstream_error,
              "The provider sent " + std::string(what) + " that cannot be read.");
}

void push_started(const JsonObject& message, Batch& out) {
  out.push(Started{.id = message["id"].string_in(out), .model = message["model"].string_in(out)});
}

/// A stream: message_start, blocks, message_delta, message_stop. What is not known is skipped.
class StreamDecoder final : public ReplyDecoder {
 public:
  explicit StreamDecoder(const DecodeHints& hints) : blocks_(hints) {}

  Result<void> feed(const std::shared_ptr<Block>& block, std::string_view bytes,
                    Batch& out) override {
    sse_.feed(block, bytes);
    wire::SseEvent event;
    while (true) {
      const auto more = sse_.next(out, event);
      if (!more) return std::unexpected(more.error());
      if (!*more) return {};
      if (auto done = on_event(event, out); !done) return done;
    }
  }

  Result<void> finish(Batch& out) override {
    wire::SseEvent event;
    const auto last = sse_.finish(out, event);
    if (!last) return std::unexpected(last.error());
    if (*last) {
      if (auto done = on_event(event, out); !done) return done;
    }
    if (ended_) return {};
    return fail(ErrorKind::stream_cut,
                "The provider's stream ended before its reply was complete.");
  }

 private:
  using Handler = Result<void> (StreamDecoder::*)(const JsonObject&, Batch&);
  struct Row {
    std::string_view type;
    Handler handler;
  };

  Result<void> on_event(const wire::SseEvent& event, Batch& out) {
    out.begin_frame(event.wire);
    if (event.data.empty() || ended_ || repeats(event.data, out)) return {};
    const auto shape = wire::JsonShape::read(event.data);
    if (!shape) return unreadable("a stream event");
    static constexpr std::array rows{
        Row{"content_block_delta", &StreamDecoder::on_delta},
        Row{"content_block_start", &StreamDecoder::on_block},
        Row{"content_block_stop", &StreamDecoder::on_block_stop},
        Row{"message_start", &StreamDecoder::on_start},
        Row{"message_delta", &StreamDecoder::on_message_delta},
        Row{"message_stop", &StreamDecoder::on_stop},
    };
    const JsonObject members(*shape);
    const std::string_view type = members["type"].string_in(out);
    for (const Row& row : rows) {
      if (row.type != type) continue;
      auto done = (this->*row.handler)(members, out);
      if (!text_.empty()) repeated_.learn(event.data, text_.substr(1, text_.size() - 2));
      text_ = {};
      return done;
    }
    if (type == "error") return std::unexpected(read_error(0, {}, event.data));
    return {};
  }

  /// Most events say what the last one did, with another text.
  bool repeats(std::string_view data, Batch& out) {
    std::string_view text;
    if (!blocks_.goes_on() || !repeated_.matches(data, text)) return false;
    const bool ascii = wire::json_ascii_run(text) == text.size();
    if (!ascii && !simdjson::validate_utf8(text.data(), text.size())) return false;
    blocks_.again({text.data() - 1, text.size() + 2}, out);
    return true;
  }

  Result<void> on_start(const JsonObject& event, Batch& out) {
    const JsonObject message(event["message"]);
    std::string id = message["id"].string();
    if (started_) {
      // Relays repeat the start; one of another reply behind words of the first mixes two.
      if (id == id_ || !blocks_.produced()) return {};
      return fail(ErrorKind::stream_cut, "The provider began a second reply within the first.");
    }
    started_ = true;
    id_ = std::move(id);
    push_started(message, out);
    push_usage(message["usage"], out);
    return {};
  }

  Result<void> on_block(const JsonObject& event, Batch& out) {
    blocks_.start(index_of(event), event["content_block"], out);
    return {};
  }
  Result<void> on_delta(const JsonObject& event, Batch& out) {
    text_ = blocks_.delta(index_of(event), event["delta"], out);
    return {};
  }
  Result<void> on_block_stop(const JsonObject& event, Batch& out) {
    blocks_.stop(index_of(event), out);
    return {};
  }

  Result<void> on_message_delta(const JsonObject& event, Batch& out) {
    if (const JsonView reason = event["delta"]["stop_reason"]) stop_reason_ = reason.string();
    push_usage(event["usage"], out);
    return {};
  }

  Result<void> on_stop(const JsonObject&, Batch& out) {
    ended_ = true;
    blocks_.finish(stop_reason_, out);
    out.push(Ended{});
    return {};
  }

  static std::int64_t index_of(const JsonObject& event) {
    return event["index"].integer().value_or(0);
  }

  void push_usage(const JsonView& usage, Batch& out) {
    if (!usage) return;
    read_usage(usage, usage_);
    out.push(usage_event(usage_));
  }

  wire::SseDecoder sse_;
  openai::RepeatedChunk repeated_;
  std::string_view text_;  // what the event that is read now brought, for repeated_
  BlockEvents blocks_;
  Usage usage_;
  std::string id_, stop_reason_;
  bool started_ = false, ended_ = false;
};

/// A reply that comes whole, errors included: nothing is known before its end.
class WholeDecoder final : public ReplyDecoder {
 public:
  WholeDecoder(const ResponseHead& head, const DecodeHints& hints)
      : status_(head.status), headers_(head.headers), blocks_(hints) {}

  Result<void> feed(const std::shared_ptr<Block>& block, std::string_view bytes, Batch&) override {
    body_.add(block, bytes);
    return {};
  }

  Result<void> finish(Batch& out) override {
    const std::string_view body = body_.join(out);
    if (status_ < 200 || status_ >= 300) {
      return std::unexpected(read_error(status_, headers_, body));
    }
    const auto shape = wire::JsonShape::read(body);
    if (!shape) return unreadable("a reply");
    const JsonObject reply(*shape);
    if (reply["type"].string_in(out) == "error") {
      return std::unexpected(read_error(0, headers_, body));
    }
    if (!reply["content"].is_array()) return unreadable("a reply without content");
    out.begin_frame(body);
    push_reply(reply, out);
    return {};
  }

 private:
  void push_reply(const JsonObject& reply, Batch& out) {
    push_started(reply, out);
    std::int64_t index = 0;
    for (const JsonView& block : reply["content"].items()) {
      blocks_.start(index, block, out);
      blocks_.stop(index++, out);
    }
    blocks_.finish(reply["stop_reason"].string_in(out), out);
    if (const JsonView usage = reply["usage"]) {
      Usage figures;
      read_usage(usage, figures);
      out.push(usage_event(figures));
    }
    out.push(Ended{});
  }

  int status_;
  const HeaderFields& headers_;
  BlockEvents blocks_;
  Collected body_;
};

bool streams(const ResponseHead& head, const DecodeHints& hints) {
  if (head.status < 200 || head.status >= 300) return false;
  const std::string_view type = head.header("content-type");
  if (type.contains("text/event-stream")) return true;
  return hints.stream && !type.contains("application/json");
}

}  // namespace

std::unique_ptr<ReplyDecoder> make_decoder(const ResponseHead& head, const DecodeHints& hints) {
  if (streams(head, hints)) return std::make_unique<StreamDecoder>(hints);
  return std::make_unique<WholeDecoder>(head, hints);
}

}  // namespace tollgate::routing::anthropic
