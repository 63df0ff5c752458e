// The whole Messages request: which fields go, which are refused and which are named as dropped.
#include <algorithm>
#include <array>
#include <span>

#include "gateway/wire/json_view.hpp"
#include "gateway/wire/json_writer.hpp"
#include "routing/providers/anthropic_request.hpp"
#include "routing/providers/forbidden_fields.hpp"

namespace tollgate::routing::anthropic {
namespace {

using wire::JsonWriter;

struct FieldCheck {
  std::string_view name;
  bool (*sent)(const ChatRequest&);
};

bool asks_for_audio(const ChatRequest& r) {
  return std::ranges::find(r.modalities, "audio") != r.modalities.end();
}

/// Without these the reply would not be what was asked for: refused, never dropped.
constexpr std::array meanings{
    FieldCheck{"n", [](const ChatRequest& r) { return r.n.value_or(1) > 1; }},
    FieldCheck{"logprobs", [](const ChatRequest& r) { return r.logprobs.value_or(false); }},
    FieldCheck{"top_logprobs", [](const ChatRequest& r) { return r.top_logprobs.value_or(0) > 0; }},
    FieldCheck{"modalities", asks_for_audio},
};

/// Hints: the reply is right without them. A value that changes nothing is no loss.
constexpr std::array hints{
    FieldCheck{"seed", [](const ChatRequest& r) { return r.seed.has_value(); }},
    FieldCheck{"frequency_penalty",
               [](const ChatRequest& r) { return r.frequency_penalty.value_or(0) != 0; }},
    FieldCheck{"presence_penalty",
               [](const ChatRequest& r) { return r.presence_penalty.value_or(0) != 0; }},
    FieldCheck{
        "logit_bias",
        [](const ChatRequest& r) { return r.logit_bias_json.find(':') != std::string::npos; }},
    FieldCheck{"prediction", [](const ChatRequest& r) { return !r.prediction_json.empty(); }},
    FieldCheck{"store", [](const ChatRequest& r) { return r.store.value_or(false); }},
    FieldCheck{"metadata", [](const ChatRequest& r) { return !r.metadata_json.empty(); }},
    FieldCheck{"verbosity", [](const ChatRequest& r) { return !r.verbosity.empty(); }},
    FieldCheck{"audio", [](const ChatRequest& r) { return !r.audio_json.empty(); }},
};

constexpr std::string_view json_instruction =
    "Answer with one valid JSON object and nothing else: no prose around it, no code fence.";
constexpr std::string_view context_field = "context_management";
constexpr std::string_view context_beta = "context-management-2025-06-27";

/// What a short conversation has more in this dialect than in the client's.
constexpr std::size_t more_bytes = 256;

class BodyEncoder {
 public:
  BodyEncoder(const ChatRequest& request, const std::string& model,
              const std::vector<std::string>& allow_fields, std::size_t request_bytes, Notes& notes)
      : request_(request),
        traits_(model_traits(model)),
        limit_(request.max_tokens.value_or(traits_.max_output)),
        allow_fields_(allow_fields),
        notes_(notes),
        w_(json_) {
    json_.reserve(request_bytes + request_bytes / 8 + more_bytes);
    w_.begin_object().member("model", model).member("max_tokens", limit_);
  }

  Result<Body> encode() {
    for (const auto step : {&BodyEncoder::check, &BodyEncoder::plan, &BodyEncoder::write_sampling,
                            &BodyEncoder::write_stop, &BodyEncoder::write_user,
                            &BodyEncoder::write_tier, &BodyEncoder::write_other}) {
      if (auto done = (this->*step)(); !done) return std::unexpected(done.error());
    }
    write_prompt();
    write_tools();
    write_thinking();
    if (request_.stream) w_.member("stream", true);
    w_.end_object();
    return Body{std::move(json_), std::move(tools_.json_tool)};
  }

 private:
  Result<void> check() {
    for (const FieldCheck& field : meanings) {
      if (!field.sent(request_)) continue;
      std::string name(field.name);
      return fail(ErrorKind::unsupported_parameter,
                  "this provider cannot give what '" + name + "' asks for", name);
    }
    for (const FieldCheck& field : hints) {
      if (!field.sent(request_)) continue;
      if (auto named = notes_.drop(field.name); !named) return named;
    }
    return {};
  }

  Result<void> plan() {
    auto tools = plan_tools(request_, traits_, notes_);
    if (!tools) return std::unexpected(tools.error());
    tools_ = std::move(*tools);
    auto thinking = plan_thinking(request_, traits_, limit_, tools_.forced, notes_);
    if (!thinking) return std::unexpected(thinking.error());
    thinking_ = std::move(*thinking);
    auto prompt = build_prompt(request_, traits_.thinking != Thinking::none, notes_);
    if (!prompt) return std::unexpected(prompt.error());
    prompt_ = std::move(*prompt);
    add_instruction();
    // A reply that is begun for the model can neither be thought about nor be held to a schema.
    settle_turns(prompt_, traits_.prefill && !thinking_.on && !has_schema());
    return limit_cache_marks(tools_, prompt_, !request_.cache_control_json.empty(), notes_);
  }

  [[nodiscard]] ResponseFormat::Kind format() const {
    const ResponseFormat& f = request_.response_format;
    const bool no_schema = f.kind == ResponseFormat::Kind::json_schema && f.schema_json.empty();
    return no_schema ? ResponseFormat::Kind::json_object : f.kind;
  }
  [[nodiscard]] bool has_schema() const {
    return format() == ResponseFormat::Kind::json_schema && traits_.schema_output;
  }

  /// There is no native JSON mode.
  void add_instruction() {
    if (format() != ResponseFormat::Kind::json_object || !tools_.json_tool.empty()) return;
    prompt_.system.push_back(Block::of_text(json_instruction));
  }

  Result<void> write_sampling() {
    const bool takes = traits_.sampling && !thinking_.on;
    const auto rejected = [&](std::string_view name, bool sent) -> Result<void> {
      return sent ? notes_.drop(name) : Result<void>{};
    };
    if (takes && request_.temperature) {
      if (auto ranged = write_temperature(*request_.temperature); !ranged) return ranged;
    }
    // Newer models refuse the two together.
    const bool takes_top_p = takes && !request_.temperature;
    if (takes_top_p && request_.top_p) w_.member("top_p", std::clamp(*request_.top_p, 0.0, 1.0));
    if (takes && request_.top_k) w_.member("top_k", *request_.top_k);
    for (auto dropped : {rejected("temperature", !takes && request_.temperature.has_value()),
                         rejected("top_p", !takes_top_p && request_.top_p.has_value()),
                         rejected("top_k", !takes && request_.top_k.has_value())}) {
      if (!dropped) return dropped;
    }
    return {};
  }

  Result<void> write_temperature(double asked) {
    const double sent = std::clamp(asked, 0.0, 1.0);
    if (sent != asked && notes_.refuse) {
      return fail(ErrorKind::unsupported_parameter,
                  "temperature must lie between 0 and 1 for this provider", "temperature");
    }
    w_.member("temperature", sent);
    return {};
  }

  Result<void> write_stop() {
    std::vector<std::string_view> usable;
    std::ranges::copy_if(request_.stop, std::back_inserter(usable),
                         [](std::string_view stop) { return !is_blank(stop); });
    if (!usable.empty()) {
      w_.key("stop_sequences").begin_array();
      for (const std::string_view stop : usable)
        w_.value(stop);
      w_.end_array();
    }
    return usable.size() == request_.stop.size() ? Result<void>{} : notes_.drop("stop");
  }

  Result<void> write_user() {
    constexpr std::size_t bytes_max = 512;
    const bool legacy = !request_.user.empty();
    const std::string& user = legacy ? request_.user : request_.safety_identifier;
    if (user.size() > bytes_max) return notes_.drop(legacy ? "user" : "safety_identifier");
    if (!user.empty()) w_.key("metadata").begin_object().member("user_id", user).end_object();
    return {};
  }

  /// Only `auto` means the same on both sides; `standard_only` is Anthropic's own.
  Result<void> write_tier() {
    const std::string& tier = request_.service_tier;
    if (tier.empty()) return {};
    if (tier != "auto" && tier != "standard_only") return notes_.drop("service_tier");
    w_.member("service_tier", tier);
    return {};
  }

  Result<void> write_other() {
    if (!request_.cache_control_json.empty()) {
      w_.raw_member("cache_control", request_.cache_control_json);
    }
    for (const auto& [name, json] : request_.other) {
      if (json == "null" || is_ignored_field(name)) continue;
      const bool allowed = std::ranges::find(allow_fields_, name) != allow_fields_.end();
      if (name == context_field) notes_.need_beta(context_beta);
      if (allowed || name == context_field) {
        w_.raw_member(name, json);
      } else if (auto named = notes_.drop(name); !named) {
        return named;
      }
    }
    return {};
  }

  void write_blocks(const std::vector<Block>& blocks) {
    w_.begin_array();
    for (const Block& block : blocks)
      write_block(block);
    w_.end_array();
  }

  void write_block(const Block& block) {
    if (block.is_text) {
      w_.head(R"({"type":"text","text":)").value(block.text);
      if (!block.cache_control.empty()) w_.raw_member("cache_control", block.cache_control);
      w_.end_object();
    } else if (block.cache_control.empty()) {
      w_.raw(block.json);
    } else {
      const std::string_view open(block.json.data(), block.json.size() - 1);
      w_.raw(std::string(open) + R"(,"cache_control":)" + block.cache_control + "}");
    }
  }

  void write_prompt() {
    if (!prompt_.system.empty()) {
      w_.key("system");
      write_blocks(prompt_.system);
    }
    w_.key("messages").begin_array();
    for (const Turn& turn : prompt_.turns) {
      w_.head(turn.assistant ? R"({"role":"assistant","content":)"
                             : R"({"role":"user","content":)");
      write_blocks(turn.blocks);
      w_.end_object();
    }
    w_.end_array();
  }

  void write_tools() {
    if (tools_.tools.empty()) return;
    w_.key("tools");
    write_blocks(tools_.tools);
    if (!tools_.choice.empty()) w_.raw_member("tool_choice", tools_.choice);
  }

  void write_thinking() {
    if (!thinking_.json.empty()) w_.raw_member("thinking", thinking_.json);
    if (thinking_.effort.empty() && !has_schema()) return;
    w_.key("output_config").begin_object();
    if (!thinking_.effort.empty()) w_.member("effort", thinking_.effort);
    if (has_schema()) {
      w_.key("format").begin_object().member("type", "json_schema");
      w_.raw_member("schema", output_schema(request_.response_format.schema_json)).end_object();
    }
    w_.end_object();
  }

  const ChatRequest& request_;
  const ModelTraits& traits_;
  std::int64_t limit_;
  const std::vector<std::string>& allow_fields_;
  Notes& notes_;
  ToolPlan tools_;
  ThinkingPlan thinking_;
  Prompt prompt_;
  std::string json_;
  JsonWriter w_;
};

}  // namespace

Result<void> Notes::drop(std::string_view field) {
  std::string name(field);
  if (refuse) {
    return fail(ErrorKind::unsupported_parameter, "'" + name + "' is not taken by this provider",
                name);
  }
  if (std::ranges::find(dropped, name) == dropped.end()) dropped.push_back(std::move(name));
  return {};
}

void Notes::need_beta(std::string_view beta) {
  if (std::ranges::find(betas, beta) == betas.end()) betas.emplace_back(beta);
}

Result<void> limit_cache_marks(ToolPlan& tools, Prompt& prompt, bool automatic, Notes& notes) {
  constexpr std::size_t marks_max = 4;
  std::vector<Block*> marked;
  const auto collect = [&](std::vector<Block>& blocks) {
    for (Block& block : blocks) {
      if (!block.cache_control.empty()) marked.push_back(&block);
    }
  };
  collect(tools.tools);
  collect(prompt.system);
  for (Turn& turn : prompt.turns)
    collect(turn.blocks);
  const std::size_t room = marks_max - (automatic ? 1 : 0);
  if (marked.size() <= room) return {};
  for (Block* block : std::span(marked).first(marked.size() - room))
    block->cache_control.clear();
  return notes.drop("cache_control");
}

Result<Body> encode_body(const ChatRequest& request, const std::string& model,
                         const std::vector<std::string>& allow_fields, std::size_t request_bytes,
                         Notes& notes) {
  return BodyEncoder(request, model, allow_fields, request_bytes, notes).encode();
}

}  // namespace tollgate::routing::anthropic
