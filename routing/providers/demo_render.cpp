#include "routing/providers/demo_render.hpp"

#include <algorithm>

#include "gateway/wire/json_writer.hpp"

namespace tollgate::routing::demo {
namespace {

using std::chrono::microseconds;
using wire::JsonWriter;

microseconds word_time(const Params& params, std::size_t words) {
  return microseconds(static_cast<std::int64_t>(1e6 / params.rate * static_cast<double>(words)));
}

/// The same for each replay of the same reply, and different for each call in it.
std::string call_id(const ReplyFrame& frame, std::size_t choice, std::uint32_t index) {
  return "call_" + frame.id.substr(frame.id.rfind('-') + 1) + std::to_string(choice) + "x" +
         std::to_string(index);
}

std::uint64_t word_count(const std::vector<Answer>& answers) {
  std::uint64_t words = 0;
  for (const Answer& answer : answers)
    words += answer.pieces.size();
  return words;
}

void write_usage(JsonWriter& w, const ReplyFrame& frame, const std::vector<Answer>& answers) {
  const std::uint64_t words = word_count(answers);
  w.key("usage").begin_object().member("prompt_tokens", frame.prompt_tokens);
  w.member("completion_tokens", words).member("total_tokens", frame.prompt_tokens + words);
  w.key("prompt_tokens_details").begin_object().member("cached_tokens", 0).end_object();
  w.key("completion_tokens_details").begin_object().member("reasoning_tokens", 0).end_object();
  w.end_object();
}

void write_head(JsonWriter& w, const ReplyFrame& frame) {
  const std::string_view object = !frame.chat    ? "text_completion"
                                  : frame.stream ? "chat.completion.chunk"
                                                 : "chat.completion";
  w.begin_object().member("id", frame.id).member("object", object);
  w.member("created", frame.created).member("model", frame.model);
}

std::string event_of(const std::string& json) { return "data: " + json + "\n\n"; }

/// Renders a stream, one step for each word of each choice.
class StreamRenderer {
 public:
  StreamRenderer(const ReplyFrame& frame, const std::vector<Answer>& answers, const Params& params)
      : frame_(frame), answers_(answers), params_(params) {}

  DemoScript render() {
    script_.head_delay = params_.delay;
    script_.headers = {{"content-type", "text/event-stream; charset=utf-8"},
                       {"cache-control", "no-cache"}};
    if (frame_.chat) {
      for (std::size_t choice = 0; choice < answers_.size(); ++choice)
        chunk(choice, {}, R"({"role":"assistant","content":""})", "null");
    }
    if (words()) endings();
    return std::move(script_);
  }

 private:
  /// All words, choice by choice in turn. False: the connection died on the way.
  bool words() {
    std::size_t longest = 0;
    for (const Answer& answer : answers_)
      longest = std::max(longest, answer.pieces.size());
    for (std::size_t word = 0; word <= longest; ++word) {
      script_.dies = params_.die_after && *params_.die_after == word && word < longest;
      if (script_.dies) return false;
      for (std::size_t choice = 0; choice < answers_.size(); ++choice) {
        if (word >= answers_[choice].pieces.size()) continue;
        // The choices of one moment come together.
        const bool first = choice == 0 || word >= answers_[0].pieces.size();
        piece(choice, answers_[choice].pieces[word],
              first ? word_time(params_, 1) : microseconds(0));
      }
    }
    return true;
  }

  void endings() {
    for (std::size_t choice = 0; choice < answers_.size(); ++choice) {
      std::string reason;
      wire::append_quoted(reason, to_string(answers_[choice].finish));
      chunk(choice, {}, frame_.chat ? "{}" : R"("")", reason);
    }
    if (frame_.include_usage) {
      std::string json;
      JsonWriter w(json);
      write_head(w, frame_);
      w.key("choices").begin_array().end_array();
      write_usage(w, frame_, answers_);
      w.end_object();
      script_.steps.push_back({microseconds(0), event_of(json)});
    }
    script_.steps.push_back({microseconds(0), "data: [DONE]\n\n"});
  }

  void piece(std::size_t choice, const Piece& piece, microseconds delay) {
    std::string delta;
    JsonWriter w(delta);
    if (!frame_.chat) {
      w.value(piece.text);
    } else if (piece.what == Piece::What::text) {
      w.begin_object().member("content", piece.text).end_object();
    } else {
      write_call(w, choice, piece);
    }
    chunk(choice, delay, delta, "null");
  }

  void write_call(JsonWriter& w, std::size_t choice, const Piece& piece) {
    const bool begins = piece.what == Piece::What::call;
    w.begin_object().key("tool_calls").begin_array().begin_object();
    w.member("index", static_cast<std::uint64_t>(piece.index));
    if (begins) {
      w.member("id", call_id(frame_, choice, piece.index));
      w.member("type", piece.custom ? "custom" : "function");
    }
    w.key(piece.custom ? "custom" : "function").begin_object();
    if (begins) w.member("name", piece.text);
    w.member(piece.custom ? "input" : "arguments", begins ? std::string() : piece.text);
    w.end_object().end_object().end_array().end_object();
  }

  void chunk(std::size_t choice, microseconds delay, std::string_view content,
             std::string_view reason) {
    std::string json;
    JsonWriter w(json);
    write_head(w, frame_);
    w.key("choices").begin_array().begin_object();
    w.member("index", static_cast<std::uint64_t>(choice));
    w.raw_member(frame_.chat ? "delta" : "text", content);
    w.key("logprobs").null().raw_member("finish_reason", reason);
    w.end_object().end_array().end_object();
    script_.steps.push_back({delay, event_of(json)});
  }

  const ReplyFrame& frame_;
  const std::vector<Answer>& answers_;
  const Params& params_;
  DemoScript script_;
};

std::string joined(const Answer& answer, Piece::What what, std::uint32_t index) {
  std::string text;
  for (const Piece& piece : answer.pieces) {
    if (piece.what == what && piece.index == index) text += piece.text;
  }
  return text;
}

void write_message(JsonWriter& w, const ReplyFrame& frame, const Answer& answer,
                   std::size_t choice) {
  const std::string text = joined(answer, Piece::What::text, 0);
  const bool calls = std::ranges::any_of(
      answer.pieces, [](const Piece& piece) { return piece.what == Piece::What::call; });
  w.key("message").begin_object().member("role", "assistant").key("content");
  if (calls) {
    w.null();
  } else {
    w.value(text);
  }
  w.key("refusal").null();
  if (calls) w.key("tool_calls").begin_array();
  for (const Piece& piece : answer.pieces) {
    if (piece.what != Piece::What::call) continue;
    w.begin_object().member("id", call_id(frame, choice, piece.index));
    w.member("type", piece.custom ? "custom" : "function");
    w.key(piece.custom ? "custom" : "function").begin_object().member("name", piece.text);
    w.member(piece.custom ? "input" : "arguments",
             joined(answer, Piece::What::arguments, piece.index));
    w.end_object().end_object();
  }
  if (calls) w.end_array();
  w.end_object();
}

std::string whole_body(const ReplyFrame& frame, const std::vector<Answer>& answers) {
  std::string json;
  JsonWriter w(json);
  write_head(w, frame);
  w.key("choices").begin_array();
  for (std::size_t choice = 0; choice < answers.size(); ++choice) {
    w.begin_object().member("index", static_cast<std::uint64_t>(choice));
    if (frame.chat) {
      write_message(w, frame, answers[choice], choice);
    } else {
      w.member("text", joined(answers[choice], Piece::What::text, 0));
    }
    w.key("logprobs").null().member("finish_reason", to_string(answers[choice].finish));
    w.end_object();
  }
  w.end_array();
  write_usage(w, frame, answers);
  w.end_object();
  return json;
}

/// A reply that is no stream comes when all of its words would have come.
DemoScript whole(std::string body, std::size_t words, const Params& params) {
  DemoScript script;
  script.headers = {{"content-type", "application/json"}};
  script.dies = params.die_after && *params.die_after < words;
  const std::size_t spoken = script.dies ? *params.die_after : words;
  script.head_delay = params.delay + word_time(params, spoken);
  if (script.dies) body.resize(body.size() / 2);
  script.steps.push_back({microseconds(0), std::move(body)});
  return script;
}

}  // namespace

DemoScript render(const ReplyFrame& frame, const std::vector<Answer>& answers,
                  const Params& params) {
  if (frame.stream) return StreamRenderer(frame, answers, params).render();
  std::size_t longest = 0;
  for (const Answer& answer : answers)
    longest = std::max(longest, answer.pieces.size());
  return whole(whole_body(frame, answers), longest, params);
}

DemoScript render_error(int status, std::string body, const Params& params) {
  DemoScript script;
  script.head_delay = params.delay;
  script.status = status;
  script.headers = {{"content-type", "application/json"}};
  if (status == 429 || status == 503) script.headers.emplace_back("retry-after", "1");
  script.steps.push_back({microseconds(0), std::move(body)});
  return script;
}

}  // namespace tollgate::routing::demo
