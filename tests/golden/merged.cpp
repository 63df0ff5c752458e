#include "tests/golden/merged.hpp"

#include <cstring>

#include "gateway/wire/json_writer.hpp"

namespace tollgate::golden {
namespace {

using wire::JsonWriter;

void write_call(JsonWriter& w, const MergedCall& call) {
  w.begin_object();
  w.member("id", call.id).member("name", call.name).member("arguments", call.arguments);
  w.member("signature", call.signature).end_object();
}

void write_texts(JsonWriter& w, std::string_view name, const std::vector<std::string>& texts) {
  w.key(name).begin_array();
  for (const std::string& text : texts)
    w.value(text);
  w.end_array();
}

void write_choice(JsonWriter& w, const MergedChoice& choice) {
  w.begin_object();
  w.member("text", choice.text).member("reasoning", choice.reasoning);
  w.member("refusal", choice.refusal);
  write_texts(w, "signatures", choice.signatures);
  write_texts(w, "redacted", choice.redacted);
  w.key("tool_calls").begin_array();
  for (const auto& [index, call] : choice.calls)
    write_call(w, call);
  w.end_array();
  w.key("extras").begin_object();
  for (const auto& [name, values] : choice.extras) {
    w.key(name).begin_array();
    for (const std::string& json : values)
      w.raw(json);
    w.end_array();
  }
  w.end_object();
  w.member("finish", choice.finish).end_object();
}

void write_usage(JsonWriter& w, const Usage& usage) {
  w.begin_object();
  w.member("input", usage.input).member("cache_read", usage.cache_read);
  w.member("cache_write", usage.cache_write).member("cache_write_1h", usage.cache_write_1h);
  w.member("output", usage.output).member("reasoning", usage.reasoning);
  w.member("audio_input", usage.audio_input).member("audio_output", usage.audio_output);
  w.member("image_output", usage.image_output).member("images", usage.images);
  w.member("web_searches", usage.web_searches).member("web_fetches", usage.web_fetches);
  w.member("service_tier", usage.service_tier.text());
  w.end_object();
}

void write_error(JsonWriter& w, const Error& error) {
  w.begin_object();
  w.member("status", error.status).member("code", error.code).member("type", error.type);
  w.member("param", error.param).member("message", error.message).member("detail", error.detail);
  w.member("upstream_status", error.upstream_status).key("retry_after_ms");
  if (error.retry_after) {
    w.value(static_cast<std::int64_t>(error.retry_after->count()));
  } else {
    w.null();
  }
  w.member("retry", static_cast<int>(error.retry)).end_object();
}

void write_floats(JsonWriter& w, std::string_view bytes) {
  w.begin_array();
  for (std::size_t at = 0; at + sizeof(float) <= bytes.size(); at += sizeof(float)) {
    float value = 0;
    std::memcpy(&value, bytes.data() + at, sizeof(float));
    w.value(static_cast<double>(value));
  }
  w.end_array();
}

}  // namespace

struct Merged::Adder {
  Merged& m;

  MergedChoice& choice(std::uint32_t index) {
    MergedChoice& found = m.choices_[index];
    if (!found.finish.empty()) m.broken("content after finish");
    return found;
  }
  void operator()(const Started& e) {
    if (m.started_) m.broken("started twice");
    m.started_ = true;
    m.id_ = e.id;
    m.model_ = e.model;
    m.created_ = e.created;
  }
  void operator()(const TextDelta& e) { choice(e.choice).text += e.text; }
  void operator()(const RefusalDelta& e) { choice(e.choice).refusal += e.text; }
  void operator()(const ReasoningDelta& e) {
    MergedChoice& c = choice(e.choice);
    c.reasoning += e.text;
    if (!e.signature.empty()) c.signatures.emplace_back(e.signature);
    if (!e.redacted.empty()) c.redacted.emplace_back(e.redacted);
  }
  void operator()(const ToolDelta& e) {
    MergedChoice& c = choice(e.choice);
    const bool fresh = !c.calls.contains(e.index);
    if (fresh && e.name.empty()) m.broken("tool call begins without a name");
    if (fresh && e.index != c.calls.size()) m.broken("tool index is not the next one");
    if (!fresh && (!e.id.empty() || !e.name.empty())) m.broken("tool id or name repeated");
    MergedCall& call = c.calls[e.index];
    call.id += e.id;
    call.name += e.name;
    call.arguments += e.arguments;
    call.signature += e.signature;
  }
  void operator()(const ExtraDelta& e) {
    choice(e.choice).extras[std::string(e.name)].emplace_back(e.json);
  }
  void operator()(const Finished& e) {
    MergedChoice& c = m.choices_[e.choice];
    if (!c.finish.empty()) m.broken("finished twice");
    c.finish = to_string(e.reason);
  }
  void operator()(const UsageEvent& e) { m.usage_ = e.usage; }
  void operator()(const Embedding& e) { m.embeddings_[e.index] = e.floats; }
  void operator()(const Ended&) {
    if (m.ended_) m.broken("ended twice");
    m.ended_ = true;
  }
};

void Merged::broken(const std::string& rule) {
  for (const std::string& known : broken_) {
    if (known == rule) return;
  }
  broken_.push_back(rule);
}

void Merged::add(const Batch& batch) {
  for (const Frame& frame : batch.frames)
    wire_ += frame.wire;
  for (const StreamEvent& event : batch.events) {
    if (ended_) broken("event after ended");
    std::visit(Adder{*this}, event);
  }
}

void Merged::end(const Result<void>& result) {
  if (!result) error_ = result.error();
}

std::string Merged::json() const {
  std::string out;
  JsonWriter w(out);
  w.begin_object().member("id", id_).member("model", model_).member("created", created_);
  w.key("choices").begin_object();
  for (const auto& [index, choice] : choices_) {
    w.key(std::to_string(index));
    write_choice(w, choice);
  }
  w.end_object().key("embeddings").begin_array();
  for (const auto& [index, floats] : embeddings_) {
    w.begin_object().member("index", static_cast<std::uint64_t>(index)).key("floats");
    write_floats(w, floats);
    w.end_object();
  }
  w.end_array().key("usage");
  if (usage_) {
    write_usage(w, *usage_);
  } else {
    w.null();
  }
  w.key("error");
  if (error_) {
    write_error(w, *error_);
  } else {
    w.null();
  }
  w.member("ended", ended_);
  write_texts(w, "broken_rules", broken_);
  w.end_object();
  return out;
}

}  // namespace tollgate::golden
