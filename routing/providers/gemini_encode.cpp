// A chat request as Gemini's: what has no piece of its own, and the pieces put together.
#include <algorithm>
#include <array>

#include "gateway/wire/json_walk.hpp"
#include "routing/providers/forbidden_fields.hpp"
#include "routing/providers/gemini.hpp"
#include "routing/providers/gemini_request.hpp"

namespace tollgate::routing::gemini {
namespace {

/// Gemini's own top-level fields, under the names that clients send them by.
struct Extension {
  std::string_view client, gemini;
  wire::JsonKind kind;
};
constexpr std::array extensions{
    Extension{"safety_settings", "safetySettings", wire::JsonKind::array},
    Extension{"safetySettings", "safetySettings", wire::JsonKind::array},
    Extension{"cached_content", "cachedContent", wire::JsonKind::string},
    Extension{"cachedContent", "cachedContent", wire::JsonKind::string}};

struct Tier {
  std::string_view openai, gemini;
};
/// `auto` is what leaving it out means.
constexpr std::array tiers{
    Tier{"auto", ""},     Tier{"default", "standard"},  Tier{"standard", "standard"},
    Tier{"flex", "flex"}, Tier{"priority", "priority"}, Tier{"fast", "priority"}};

Result<void> write_extension(Draft& draft, const Extension& extension, std::string_view json) {
  if (wire::json_kind(json) != extension.kind) {
    const bool list = extension.kind == wire::JsonKind::array;
    const std::string name(extension.client);
    return fail(ErrorKind::invalid_request,
                "'" + name + "' must be " + (list ? "an array" : "a string"), name);
  }
  draft.json.raw_member(extension.gemini, json);
  return {};
}

Result<void> write_other(Draft& draft) {
  std::vector<std::string_view> written;
  for (const auto& [name, json] : draft.request.other) {
    const auto extension = std::ranges::find(extensions, name, &Extension::client);
    if (extension == extensions.end()) {
      if (!is_ignored_field(name) && json != "null") draft.drop(name);
      continue;
    }
    if (json == "null" || std::ranges::find(written, extension->gemini) != written.end()) continue;
    written.push_back(extension->gemini);
    if (auto done = write_extension(draft, *extension, json); !done) return done;
  }
  return {};
}

void write_service_tier(Draft& draft) {
  const std::string& asked = draft.request.service_tier;
  if (asked.empty()) return;
  const auto tier = std::ranges::find(tiers, asked, &Tier::openai);
  if (tier == tiers.end()) {
    draft.drop("service_tier");
  } else if (!tier->gemini.empty()) {
    draft.json.member("serviceTier", tier->gemini);
  }
}

/// Hints that Gemini has no place for. A value that asks for what happens anyway is no loss.
void drop_hints(Draft& draft) {
  const ChatRequest& r = draft.request;
  const auto said = [](const std::string& json, std::string_view nothing) {
    return !json.empty() && json != nothing && json != "null";
  };
  struct Row {
    std::string_view name;
    bool lost;
  };
  const std::array rows{Row{"user", !r.user.empty()},
                        Row{"safety_identifier", !r.safety_identifier.empty()},
                        Row{"metadata", said(r.metadata_json, "{}")},
                        Row{"logit_bias", said(r.logit_bias_json, "{}")},
                        Row{"prediction", said(r.prediction_json, "{}")},
                        Row{"cache_control", said(r.cache_control_json, "{}")},
                        Row{"store", r.store.value_or(false)},
                        Row{"verbosity", !r.verbosity.empty() && r.verbosity != "medium"}};
  for (const Row& row : rows) {
    if (row.lost) draft.drop(row.name);
  }
}

Result<void> write_body(Draft& draft) {
  draft.json.begin_object();
  if (auto done = write_conversation(draft); !done) return done;
  if (auto done = write_tools(draft); !done) return done;
  if (auto done = write_generation_config(draft); !done) return done;
  write_service_tier(draft);
  drop_hints(draft);
  if (auto done = write_other(draft); !done) return done;
  draft.json.end_object();
  return {};
}

}  // namespace

void Draft::drop(std::string_view name) {
  if (std::ranges::find(dropped, name) == dropped.end()) dropped.emplace_back(name);
}

Result<Encoded> encode_chat(const wire::RequestView& view, const Target& target,
                            const EncodeContext& context) {
  if (auto allowed = check_forbidden_fields(view.shape, *target.provider); !allowed) {
    return std::unexpected(allowed.error());
  }
  const auto request = view.chat();
  if (!request) return std::unexpected(request.error());
  const std::string_view model = bare_model(target.model);
  Draft draft(**request, traits_of(model));
  if (auto written = write_body(draft); !written) return std::unexpected(written.error());
  auto http = method_request(target, context,
                             view.stream ? "streamGenerateContent?alt=sse" : "generateContent");
  if (!http) return std::unexpected(http.error());
  Encoded encoded;
  encoded.request = std::move(*http);
  encoded.request.body.own(std::move(draft.out));
  encoded.dropped = std::move(draft.dropped);
  encoded.hints.endpoint = view.endpoint;
  encoded.hints.stream = view.stream;
  encoded.hints.model = model;
  encoded.hints.id_seed = context.request_id;
  encoded.hints.renamed_tools = draft.names.changed();
  if (auto kept = check_dropped(encoded, context); !kept) return std::unexpected(kept.error());
  return encoded;
}

}  // namespace tollgate::routing::gemini
