#include "routing/providers/gemini_reply.hpp"

#include <algorithm>
#include <array>

#include "gateway/wire/json_writer.hpp"
#include "routing/providers/error_table.hpp"
#include "routing/providers/json_tree.hpp"

namespace tollgate::routing::gemini {
namespace {

using wire::JsonView;

struct FinishRow {
  std::string_view google;
  FinishReason reason;
};
/// Every other word, OTHER and those still to be invented, is a plain stop.
constexpr std::array finish_rows{
    FinishRow{"MAX_TOKENS", FinishReason::length},
    FinishRow{"SAFETY", FinishReason::content_filter},
    FinishRow{"RECITATION", FinishReason::content_filter},
    FinishRow{"LANGUAGE", FinishReason::content_filter},
    FinishRow{"BLOCKLIST", FinishReason::content_filter},
    FinishRow{"PROHIBITED_CONTENT", FinishReason::content_filter},
    FinishRow{"SPII", FinishReason::content_filter},
    FinishRow{"MODEL_ARMOR", FinishReason::content_filter},
    FinishRow{"IMAGE_SAFETY", FinishReason::content_filter},
    FinishRow{"IMAGE_PROHIBITED_CONTENT", FinishReason::content_filter},
    FinishRow{"IMAGE_RECITATION", FinishReason::content_filter}};

/// The model wrote a call that nobody can read: another try often goes well.
constexpr std::array<std::string_view, 3> broken_calls{
    "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS"};

FinishReason finish_of(std::string_view google, bool saw_tool) {
  const auto row = std::ranges::find(finish_rows, google, &FinishRow::google);
  if (row != finish_rows.end()) return row->reason;
  return saw_tool ? FinishReason::tool_calls : FinishReason::stop;
}

/// Characters that every provider takes in a call's id.
std::string id_chars(std::string_view text) {
  constexpr std::size_t id_max = 40;
  std::string out;
  for (char c : text.substr(0, id_max)) {
    const bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-' || c == '_';
    out += fine ? c : '_';
  }
  return out;
}

/// Queries that grounding sent to the search engine; every later response repeats them.
std::uint32_t searches_in(const JsonView& candidate) {
  std::uint32_t count = 0;
  for (const JsonView& query : candidate["groundingMetadata"]["webSearchQueries"].items())
    count += query.text().empty() ? 0U : 1U;
  return count;
}

bool is_true(const JsonView& value) { return value.text() == "true"; }

}  // namespace

void ReplyReader::content(StreamEvent event, Batch& out) {
  content_ = true;
  out.push(std::move(event));
}

Result<void> ReplyReader::read(const JsonView& response, Batch& out) {
  start(response, out);
  if (response["promptFeedback"]["blockReason"]) blocked_ = true;
  std::uint32_t position = 0;
  for (const JsonView& candidate : response["candidates"].items()) {
    const auto index = candidate["index"].count();
    constexpr std::uint64_t candidates_max = 128;
    read_candidate(candidate,
                   static_cast<std::uint32_t>(std::min(index.value_or(position), candidates_max)),
                   out);
    ++position;
  }
  if (counts_.update(response["usageMetadata"])) out.push(UsageEvent{counts_.usage()});
  if (!broken_call_.empty() && !content_) {
    Error error = make_error(ErrorKind::upstream_error, mask_secrets(broken_call_));
    error.upstream_status = 200;
    return std::unexpected(std::move(error));
  }
  return {};
}

void ReplyReader::start(const JsonView& response, Batch& out) {
  if (started_) return;
  started_ = true;
  const std::string_view id = response["responseId"].string_in(out);
  response_id_ = id;
  const std::string_view model = response["modelVersion"].string_in(out);
  counts_.search_per_prompt = model.starts_with("gemini-1") || model.starts_with("gemini-2");
  out.push(Started{id, model, unix_seconds(response["createTime"].string())});
}

void ReplyReader::read_candidate(const JsonView& candidate, std::uint32_t index, Batch& out) {
  Choice& choice = choices_[index];
  for (const JsonView& part : candidate["content"]["parts"].items())
    read_part(part, index, choice, out);
  if (const auto result = candidate["logprobsResult"]) {
    content(ExtraDelta{index, "logprobs", out.store(logprobs_json(result))}, out);
  }
  counts_.searches = std::max(counts_.searches, searches_in(candidate));
  const auto reason = candidate["finishReason"];
  if (!reason) return;
  choice.finish = reason.string();
  if (std::ranges::find(broken_calls, choice.finish) == broken_calls.end()) return;
  broken_call_ = "the model wrote a broken function call (" + choice.finish + ")";
  if (const auto why = candidate["finishMessage"]) broken_call_ += ": " + why.string();
}

void ReplyReader::read_part(const JsonView& part, std::uint32_t index, Choice& choice, Batch& out) {
  if (part["functionCall"]) return read_call(part, index, choice, out);
  const bool thought = is_true(part["thought"]);
  if (const auto text = part["text"]; text.text().size() > 2) {
    if (thought) {
      // The signature of a text part stays here: to a client it would look like a thinking block
      // that another provider could check.
      content(ReasoningDelta{index, text.string_in(out), {}, {}}, out);
    } else {
      content(TextDelta{index, text.string_in(out)}, out);
    }
  }
  if (const auto blob = part["inlineData"]; blob && !thought) {
    read_blob(blob, index, choice, out);
  }
}

/// Mostly a whole call in one part. On demand a call comes in pieces: a part with its name, parts
/// with paths and values, an empty one.
void ReplyReader::read_call(const JsonView& part, std::uint32_t index, Choice& choice, Batch& out) {
  const JsonView call = part["functionCall"];
  const auto name = call["name"];
  const bool goes_on = is_true(call["willContinue"]);
  if (name.text().size() > 2) {
    close_call(index, choice, out);
    choice.saw_tool = true;
    ToolDelta delta;
    delta.choice = index;
    delta.index = choice.calls++;
    delta.id = out.store(call_id(call, index, delta.index));
    delta.name = name.string_in(out);
    for (const auto& [sent, client] : hints_.renamed_tools) {
      if (sent == delta.name) delta.name = out.store(client);
    }
    delta.signature = part["thoughtSignature"].string_in(out);
    const auto args = call["args"];
    const bool in_pieces = goes_on || call["partialArgs"];
    if (in_pieces) {
      choice.open_call.emplace();
    } else {
      delta.arguments = args.is_object() ? out.store(compact_json(args.text())) : "{}";
    }
    content(delta, out);
  }
  if (!choice.open_call) return;
  for (const JsonView& piece : call["partialArgs"].items())
    choice.open_call->add(piece);
  if (!goes_on) close_call(index, choice, out);
}

void ReplyReader::close_call(std::uint32_t index, Choice& choice, Batch& out) {
  if (!choice.open_call) return;
  ToolDelta delta;
  delta.choice = index;
  delta.index = choice.calls - 1;
  delta.arguments = out.store(choice.open_call->json());
  choice.open_call.reset();
  content(delta, out);
}

/// The provider's id where it gives one that is new, else one made of the reply's, so that the same
/// bytes give the same id.
std::string ReplyReader::call_id(const JsonView& call, std::uint32_t index, std::uint32_t number) {
  std::string id = call["id"].string();
  if (id.empty() || std::ranges::find(ids_, id) != ids_.end()) {
    const std::string seed = id_chars(response_id_.empty() ? hints_.id_seed : response_id_);
    id = "call_" + seed + "_" + std::to_string(index) + "_" + std::to_string(number);
  }
  ids_.push_back(id);
  return id;
}

void ReplyReader::read_blob(const JsonView& blob, std::uint32_t index, Choice& choice, Batch& out) {
  const std::string mime = blob["mimeType"].string();
  const std::string data = blob["data"].string();
  std::string json;
  wire::JsonWriter w(json);
  if (mime.starts_with("audio/")) {
    w.begin_object().member("data", data).member("mime_type", mime).end_object();
    content(ExtraDelta{index, "audio", out.store(json)}, out);
    return;
  }
  w.begin_array().begin_object().member("type", "image_url").key("image_url").begin_object();
  w.member("url", "data:" + mime + ";base64," + data).end_object();
  w.member("index", choice.images++).end_object().end_array();
  ++counts_.images;
  content(ExtraDelta{index, "images", out.store(json)}, out);
}

Result<void> ReplyReader::finish(bool whole, Batch& out) {
  const bool cut =
      std::ranges::any_of(choices_, [](const auto& row) { return row.second.finish.empty(); });
  const bool nothing = choices_.empty() && !blocked_;
  if (!whole && (cut || nothing) && !blocked_) {
    return fail(ErrorKind::stream_cut, "the provider's stream ended before the reply did");
  }
  // No candidates is still one choice: a blocked prompt, or nothing at all.
  if (choices_.empty()) choices_[0].finish = blocked_ ? "SAFETY" : "STOP";
  for (auto& [index, choice] : choices_) {
    close_call(index, choice, out);
    if (choice.finish.empty() && blocked_) choice.finish = "SAFETY";
    out.push(Finished{index, finish_of(choice.finish, choice.saw_tool)});
  }
  out.push(Ended{});
  return {};
}

}  // namespace tollgate::routing::gemini
