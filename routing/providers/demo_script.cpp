#include "routing/providers/demo_script.hpp"

#include "gateway/wire/dialect.hpp"
#include "gateway/wire/json_walk.hpp"
#include "routing/providers/demo_answer.hpp"
#include "routing/providers/demo_render.hpp"

namespace tollgate::routing {
namespace {

using demo::Answer;
using demo::Params;
using demo::ReplyFrame;
using wire::RequestView;

DemoScript refuse(const Error& error, const Params& params = {}) {
  return demo::render_error(error.status, wire::openai_chat().render_error(error), params);
}

Error no_such_model(const std::string& model) {
  return make_error(ErrorKind::model_not_found,
                    "The demo model '" + model +
                        "' does not exist. Its name is made of: demo, rate=50, delay=2s, "
                        "words=200, status=503, die_after=10, joined by commas.",
                    "model");
}

/// The failure that the model's name asks for.
DemoScript scripted_failure(const Params& params) {
  Error error =
      make_error(params.status >= 500 ? ErrorKind::upstream_error : ErrorKind::upstream_rejected,
                 "The demo model was told to fail with " + std::to_string(params.status) + ".");
  error.status = params.status;
  if (params.status == 429) {
    error.type = "rate_limit_error";
    error.code = "rate_limit_exceeded";
  }
  return refuse(error, params);
}

Endpoint endpoint_of(std::string_view target) {
  const std::string_view path = target.substr(0, target.find('?'));
  if (path.ends_with("/embeddings")) return Endpoint::embeddings;
  return path.ends_with("/chat/completions") ? Endpoint::chat : Endpoint::completions;
}

std::string id_for(std::string_view prefix, std::string_view body, std::int64_t created) {
  std::uint64_t hash = 14695981039346656037ULL ^ static_cast<std::uint64_t>(created);
  for (const char c : body)
    hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  std::string id(prefix);
  for (int i = 0; i < 12; ++i, hash >>= 5U)
    id += "abcdefghijklmnopqrstuvwxyz234567"[hash & 31U];
  return id;
}

ReplyFrame frame_of(const RequestView& view, std::int64_t created) {
  ReplyFrame frame;
  frame.chat = view.endpoint == Endpoint::chat;
  frame.id = id_for(frame.chat ? "chatcmpl-" : "cmpl-", view.body, created);
  frame.model = view.model;
  frame.created = created;
  frame.stream = view.stream;
  frame.include_usage = view.include_usage;
  return frame;
}

DemoScript chat(const RequestView& view, const Params& params, std::int64_t created) {
  const auto request = view.chat();
  if (!request) return refuse(request.error());
  const ChatRequest& asked = **request;
  if (asked.messages.empty()) {
    return refuse(make_error(ErrorKind::invalid_request, "There is no message.", "messages"));
  }
  std::vector<Answer> answers;
  for (std::uint32_t choice = 0; choice < view.n; ++choice) {
    answers.push_back(demo::answer_chat(asked, params, choice));
    demo::limit(answers.back(), asked.stop, asked.max_tokens.value_or(-1));
  }
  ReplyFrame frame = frame_of(view, created);
  frame.prompt_tokens = demo::prompt_tokens(asked);
  return demo::render(frame, answers, params);
}

/// Strings of a member that is one string or a list; anything else (token ids) stays JSON text.
std::vector<std::string> strings_in(const RequestView& view, std::string_view name) {
  const wire::JsonField* field = view.shape.find(name);
  if (field == nullptr) return {};
  if (auto one = wire::json_string(field->value)) return {*one};
  std::vector<std::string> all;
  if (field->value.starts_with("[\"")) {
    for (wire::JsonElements items(field->value); items.next();)
      all.push_back(wire::json_string(items.value()).value_or(std::string(items.value())));
    return all;
  }
  return {std::string(field->value)};
}

DemoScript completion(const RequestView& view, const Params& params, std::int64_t created) {
  std::vector<std::string> prompts = strings_in(view, "prompt");
  if (prompts.empty()) prompts.emplace_back();
  const std::vector<std::string> stop = strings_in(view, "stop");
  constexpr std::int64_t usual_limit = -1;
  std::vector<Answer> answers;
  ReplyFrame frame = frame_of(view, created);
  for (const std::string& prompt : prompts) {
    frame.prompt_tokens += demo::text_tokens(prompt);
    for (std::uint32_t choice = 0; choice < view.n; ++choice) {
      answers.push_back(demo::answer_prompt(prompt, params, choice));
      demo::limit(answers.back(), stop, view.output_limit().value_or(usual_limit));
    }
  }
  return demo::render(frame, answers, params);
}

DemoScript embeddings(const RequestView& view, const Params& params) {
  constexpr std::int64_t usual = 256, most = 4096;
  const auto request = view.embedding();
  if (!request) return refuse(request.error());
  const std::int64_t dimensions = (*request)->dimensions.value_or(usual);
  if (dimensions < 1 || dimensions > most) {
    return refuse(make_error(ErrorKind::invalid_request,
                             "'dimensions' must be between 1 and " + std::to_string(most) + ".",
                             "dimensions"));
  }
  std::vector<std::string> inputs = (*request)->inputs;
  for (const std::vector<std::int64_t>& tokens : (*request)->token_inputs) {
    std::string text;
    for (const std::int64_t token : tokens)
      text += std::to_string(token) + ' ';
    inputs.push_back(std::move(text));
  }
  return demo::render_embeddings(view.model, inputs, static_cast<std::size_t>(dimensions), params);
}

}  // namespace

DemoScript make_demo_script(std::string_view target, std::string_view body, std::int64_t created) {
  const auto view = wire::openai_chat().read(endpoint_of(target), body);
  if (!view) return refuse(view.error());
  const auto params = demo::read_params(view->model);
  if (!params) return refuse(no_such_model(view->model));
  if (params->status != 200) return scripted_failure(*params);
  switch (view->endpoint) {
    case Endpoint::chat:
      return chat(*view, *params, created);
    case Endpoint::completions:
      return completion(*view, *params, created);
    default:
      return embeddings(*view, *params);
  }
}

}  // namespace tollgate::routing
