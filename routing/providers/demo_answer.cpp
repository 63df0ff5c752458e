#include "routing/providers/demo_answer.hpp"

#include <algorithm>
#include <array>
#include <ranges>

#include "gateway/wire/json_writer.hpp"
#include "routing/providers/demo_schema.hpp"

namespace tollgate::routing::demo {
namespace {

/// What follows the part that refers to the question, over and over.
constexpr std::string_view filler =
    "This is the demo model, which needs no key and no network. It sends one word at a time, "
    "counts every one of them, and says the same thing whenever it is asked the same. Behind the "
    "gate the road goes on: point the model at a real provider and nothing else has to change.";

std::vector<std::string> split(std::string_view text, std::size_t most) {
  std::vector<std::string> words;
  constexpr std::string_view space = " \t\r\n";
  while (words.size() < most) {
    const auto begin = text.find_first_not_of(space);
    if (begin == std::string_view::npos) break;
    const auto end = std::min(text.find_first_of(space, begin), text.size());
    words.emplace_back(text.substr(begin, end - begin));
    text.remove_prefix(end);
  }
  return words;
}

std::string plain_text(const Message& message) {
  std::string all;
  for (const Part& part : message.content) {
    const auto* text = std::get_if<TextPart>(&part.value);
    if (text == nullptr) continue;
    if (!all.empty()) all += ' ';
    all += text->text;
  }
  return all;
}

std::size_t media_count(const Message& message) {
  return static_cast<std::size_t>(std::ranges::count_if(message.content, [](const Part& part) {
    return !std::holds_alternative<TextPart>(part.value) &&
           !std::holds_alternative<RefusalPart>(part.value);
  }));
}

/// `said` in quotes, its first words only.
std::string quote(std::string_view said) {
  constexpr std::size_t shown = 20;
  std::vector<std::string> words = split(said, shown + 1);
  const bool more = words.size() > shown;
  if (more) words.resize(shown);
  std::string text = "\"";
  for (const std::string& word : words) {
    if (text.size() > 1) text += ' ';
    text += word;
  }
  return text + (more ? "...\"" : "\"");
}

const Message* last_of(const ChatRequest& request, Role role) {
  for (const Message& message : std::views::reverse(request.messages)) {
    if (message.role == role) return &message;
  }
  return nullptr;
}

/// The sentence that shows that the request was read.
std::string opening(const ChatRequest& request) {
  const Message& last = request.messages.back();
  if (last.role == Role::tool) {
    return (last.is_error ? "The tool failed with " : "The tool answered ") +
           quote(plain_text(last)) + ".";
  }
  const Message* asked = last_of(request, Role::user);
  if (asked == nullptr) return "Nobody asked anything yet.";
  std::string text = "You said " + quote(plain_text(*asked));
  const std::size_t media = media_count(*asked);
  if (media != 0) text += " with " + std::to_string(media) + " attached";
  return text + ".";
}

std::vector<Piece> words_of(const std::string& lead, std::size_t count, std::uint32_t choice) {
  std::vector<std::string> words;
  if (choice != 0) words = split("Answer " + std::to_string(choice + 1) + ":", 2);
  std::ranges::move(split(lead, count), std::back_inserter(words));
  const std::vector<std::string> more = split(filler, count);
  for (std::size_t i = 0; words.size() < count && !more.empty(); ++i)
    words.push_back(more[i % more.size()]);
  words.resize(std::min(words.size(), count));
  if (!words.empty() && !words.back().ends_with('.')) words.back() += '.';
  std::vector<Piece> pieces;
  for (std::string& word : words)
    pieces.push_back({Piece::What::text, (pieces.empty() ? "" : " ") + std::move(word), 0, false});
  return pieces;
}

/// A last message of the assistant's own is the beginning of the answer: only the rest is said.
void leave_out(std::vector<Piece>& pieces, std::string_view said) {
  std::string all;
  for (const Piece& piece : pieces)
    all += piece.text;
  if (!all.starts_with(said)) return;
  std::size_t left = said.size();
  while (left > 0) {
    const std::size_t cut = std::min(left, pieces.front().text.size());
    pieces.front().text.erase(0, cut);
    left -= cut;
    if (pieces.front().text.empty()) pieces.erase(pieces.begin());
  }
}

/// `json` in slices of a few characters, never inside one.
std::vector<std::string> slices(std::string_view json) {
  constexpr std::size_t size = 12;
  std::vector<std::string> list;
  while (!json.empty()) {
    std::size_t end = std::min(size, json.size());
    while (end < json.size() && (static_cast<unsigned char>(json[end]) & 0xC0U) == 0x80U)
      ++end;
    list.emplace_back(json.substr(0, end));
    json.remove_prefix(end);
  }
  return list;
}

/// The tools to call now: none after a tool has answered or where the client forbids it.
std::vector<const Tool*> chosen_tools(const ChatRequest& request) {
  const ToolChoice& choice = request.tool_choice;
  const bool forced =
      choice.mode == ToolChoice::Mode::required || choice.mode == ToolChoice::Mode::named;
  std::vector<const Tool*> chosen;
  if (choice.mode == ToolChoice::Mode::none) return chosen;
  if (request.messages.back().role == Role::tool && !forced) return chosen;
  for (const Tool& tool : request.tools) {
    const bool allowed =
        choice.mode == ToolChoice::Mode::named
            ? tool.name == choice.name
            : choice.allowed.empty() ||
                  std::ranges::find(choice.allowed, tool.name) != choice.allowed.end();
    if (allowed && !tool.name.empty()) chosen.push_back(&tool);
  }
  constexpr std::size_t at_once = 8;
  const std::size_t most = request.parallel_tool_calls.value_or(true) ? at_once : 1;
  chosen.resize(std::min(chosen.size(), most));
  return chosen;
}

Answer call_tools(const std::vector<const Tool*>& tools) {
  Answer answer;
  answer.finish = FinishReason::tool_calls;
  std::uint32_t index = 0;
  for (const Tool* tool : tools) {
    const bool custom = !tool->function;
    answer.pieces.push_back({Piece::What::call, tool->name, index, custom});
    const std::string arguments = custom ? "demo input" : make_instance(tool->parameters_json);
    for (std::string& slice : slices(arguments))
      answer.pieces.push_back({Piece::What::arguments, std::move(slice), index, custom});
    ++index;
  }
  return answer;
}

std::string json_answer(const ChatRequest& request) {
  if (request.response_format.kind == ResponseFormat::Kind::json_schema) {
    return make_instance(request.response_format.schema_json);
  }
  std::string json;
  wire::JsonWriter(json).begin_object().member("answer", opening(request)).end_object();
  return json;
}

bool wants_json(const ChatRequest& request) {
  return request.response_format.kind == ResponseFormat::Kind::json_schema ||
         request.response_format.kind == ResponseFormat::Kind::json_object;
}

void cut_at_stop(Answer& answer, const std::vector<std::string>& stop) {
  std::string all;
  for (const Piece& piece : answer.pieces)
    all += piece.text;
  std::size_t end = all.size();
  for (const std::string& sequence : stop) {
    if (!sequence.empty()) end = std::min(end, all.find(sequence));
  }
  if (end >= all.size()) return;
  std::size_t at = 0, kept = 0;
  for (; kept < answer.pieces.size() && at < end; ++kept) {
    std::string& text = answer.pieces[kept].text;
    text.resize(std::min(text.size(), end - at));
    at += text.size();
  }
  answer.pieces.resize(kept);
}

}  // namespace

Answer answer_chat(const ChatRequest& request, const Params& params, std::uint32_t choice) {
  const auto tools = chosen_tools(request);
  if (!tools.empty()) return call_tools(tools);
  Answer answer;
  if (!wants_json(request)) {
    answer.pieces = words_of(opening(request), params.words, choice);
    const Message& last = request.messages.back();
    if (last.role == Role::assistant) leave_out(answer.pieces, plain_text(last));
    return answer;
  }
  for (std::string& slice : slices(json_answer(request)))
    answer.pieces.push_back({Piece::What::text, std::move(slice), 0, false});
  return answer;
}

Answer answer_prompt(std::string_view prompt, const Params& params, std::uint32_t choice) {
  return {words_of("You wrote " + quote(prompt) + ".", params.words, choice), FinishReason::stop};
}

void limit(Answer& answer, const std::vector<std::string>& stop, std::int64_t max_tokens) {
  if (answer.finish == FinishReason::stop) cut_at_stop(answer, stop);
  if (max_tokens < 0 || answer.pieces.size() <= static_cast<std::size_t>(max_tokens)) return;
  answer.pieces.resize(static_cast<std::size_t>(max_tokens));
  answer.finish = FinishReason::length;
}

std::uint64_t text_tokens(std::string_view text) { return (text.size() + 3) / 4; }

std::uint64_t prompt_tokens(const ChatRequest& request) {
  constexpr std::uint64_t each_message = 4, each_attachment = 85;
  std::uint64_t tokens = 0;
  for (const Message& message : request.messages) {
    tokens += each_message + text_tokens(plain_text(message));
    tokens += each_attachment * media_count(message);
    for (const ToolCall& call : message.tool_calls)
      tokens += text_tokens(call.name) + text_tokens(call.arguments);
  }
  for (const Tool& tool : request.tools) {
    tokens +=
        text_tokens(tool.name) + text_tokens(tool.description) + text_tokens(tool.parameters_json);
  }
  return tokens + text_tokens(request.response_format.schema_json);
}

}  // namespace tollgate::routing::demo
