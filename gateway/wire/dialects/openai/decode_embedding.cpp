// An embeddings request into the hub: texts or token ids, one or many.
#include "gateway/wire/dialects/openai/openai.hpp"

namespace tollgate::wire::openai {
namespace {

Result<void> read_tokens(const Node& node, EmbeddingRequest& out) {
  std::vector<std::int64_t>& tokens = out.token_inputs.emplace_back();
  return read_array(node, "an array of integers",
                    [&](const Node& token) { return read(token, tokens.emplace_back()); });
}

/// The shallow look has seen to it that the items are of one kind and that there is one.
Result<void> read_input(const Node& node, EmbeddingRequest& out) {
  if (node.kind() == JsonKind::string) return read(node, out.inputs.emplace_back());
  JsonElements first(node.text);
  if (first.next() && json_kind(first.value()) == JsonKind::number) return read_tokens(node, out);
  return read_array(node, "a string or an array", [&](const Node& item) {
    if (item.kind() == JsonKind::array) return read_tokens(item, out);
    return read(item, out.inputs.emplace_back());
  });
}

Result<void> read_dimensions(const Node& node, EmbeddingRequest& out) {
  if (auto done = read(node, out.dimensions); !done) return done;
  return *out.dimensions < 1 ? bad_value(node, "expected an integer of at least 1")
                             : Result<void>{};
}

/// RequestView holds it already.
Result<void> skip(const Node&, EmbeddingRequest&) { return {}; }

using InputRule = Rule<EmbeddingRequest>;
constexpr std::array rules{
    InputRule{"model", into<&EmbeddingRequest::model>},
    InputRule{"input", read_input},
    InputRule{"dimensions", read_dimensions},
    InputRule{"user", into<&EmbeddingRequest::user>},
    InputRule{"encoding_format", skip},
};

Result<void> take(std::string_view name, std::string_view json, EmbeddingRequest& out) {
  if (json == "null") return {};
  if (const InputRule* rule = find_rule(rules, name)) return rule->read({json, nullptr, name}, out);
  out.other.emplace_back(name, json);
  return {};
}

}  // namespace

Result<EmbeddingRequest> decode_embedding(const RequestView& view) {
  EmbeddingRequest request;
  request.base64 = view.base64;
  for (const JsonField& member : view.shape.fields()) {
    if (auto done = take(member.name, member.value, request); !done) {
      return std::unexpected(done.error());
    }
  }
  for (const RawField* member : view.missing_defaults()) {
    if (auto done = take(member->first, member->second, request); !done) {
      return bad_default(done.error());
    }
  }
  return request;
}

}  // namespace tollgate::wire::openai
