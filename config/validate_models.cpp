#include <algorithm>
#include <array>

#include "config/load.hpp"
#include "config/request_fields.hpp"
#include "config/validate.hpp"
#include "config/values.hpp"

namespace tollgate::config {
namespace {

void check_target(const Checking& check, const std::string& model, std::size_t index,
                  const TargetConfig& target, const std::vector<std::string_view>& providers) {
  const std::string at = std::to_string(index);
  if (!target.provider.empty() && !check.config.providers.contains(target.provider)) {
    const Spots::Path path{"models", model, "targets", at, "provider"};
    check.complain(path, "no provider has the name " + check.shown(path, target.provider),
                   target.provider, providers);
  }
  if (target.model.find('*') == std::string::npos) return;
  if (target.model != "*") {
    check.complain({"models", model, "targets", at, "model"},
                   "a target's \"*\" must stand alone: it is the rest of the name");
  } else if (!model.ends_with('*')) {
    check.complain({"models", model, "targets", at, "model"},
                   "\"*\" needs a model whose own name ends in \"*\"");
  }
}

bool allowed_by_a_target(const Config& config, const ModelConfig& model, const std::string& name) {
  return std::any_of(model.targets.begin(), model.targets.end(), [&](const TargetConfig& target) {
    const auto provider = config.providers.find(target.provider);
    if (provider == config.providers.end()) return false;
    const auto& fields = provider->second.allow_fields;
    return std::find(fields.begin(), fields.end(), name) != fields.end();
  });
}

void check_defaults(const Checking& check, const std::string& name, const ModelConfig& model) {
  for (const auto& [field, json] : model.defaults) {
    const Spot* spot = check.spots.find({"models", name, "defaults", field});
    if (spot == nullptr) continue;
    if (is_clients_own_field(field)) {
      check.problems.add(spot->key, quote(field) + " is the client's own and has no default");
    } else if (!is_request_field(field) && !allowed_by_a_target(check.config, model, field)) {
      check.problems.add_with_suggestion(spot->key, "unknown key " + quote(field), field,
                                         request_fields());
    }
  }
}

void check_breaker(const Checking& check, const std::string& name, const ModelConfig& model) {
  if (model.breaker.open_for <= model.breaker.max_open_for) return;
  const bool said = check.spots.find({"models", name, "breaker", "max_open_for"}) != nullptr;
  check.complain({"models", name, "breaker", said ? "max_open_for" : "open_for"},
                 "open_for (" + to_text(model.breaker.open_for) +
                     ") is longer than max_open_for (" + to_text(model.breaker.max_open_for) + ")");
}

void check_queue(const Checking& check, const std::string& name, const ModelConfig& model) {
  if (!model.queue || model.queue->wait <= model.timeout) return;
  const bool said = check.spots.find({"models", name, "queue", "wait"}) != nullptr;
  const Spots::Path path =
      said ? Spots::Path{"models", name, "queue", "wait"} : Spots::Path{"models", name, "queue"};
  check.complain(path, "wait (" + to_text(model.queue->wait) +
                           ") is longer than the model's timeout (" + to_text(model.timeout) + ")");
}

bool names_a_model(const Config& config, const std::string& name) {
  return std::any_of(config.models.begin(), config.models.end(),
                     [&](const auto& model) { return matches(model.first, name); });
}

void check_fallbacks(const Checking& check, const std::string& name, const std::string& key,
                     const std::vector<std::string>& fallbacks) {
  std::vector<std::string_view> models;
  for (const auto& [other, model] : check.config.models)
    models.emplace_back(other);
  for (std::size_t i = 0; i < fallbacks.size(); ++i) {
    const std::string& other = fallbacks[i];
    const std::string at = std::to_string(i);
    const Spots::Path path{"models", name, key, at};
    const auto end = fallbacks.begin() + static_cast<std::ptrdiff_t>(i);
    if (other == name) {
      check.complain(path, "a model cannot stand by for itself");
    } else if (other.find('*') != std::string::npos) {
      check.complain(path, "a fallback names one model, not a wildcard");
    } else if (!names_a_model(check.config, other)) {
      check.complain(path, "no model has the name " + check.shown(path, other), other, models);
    } else if (std::find(fallbacks.begin(), end, other) != end) {
      check.complain(path, "named twice: " + check.shown(path, other));
    }
  }
}

// A model whose every provider is switched off answers 404; said once.
void note_absent_models(const Checking& check) {
  std::string list;
  for (const auto& [name, model] : check.config.models) {
    const bool reachable =
        std::any_of(model.targets.begin(), model.targets.end(), [&](const TargetConfig& target) {
          const auto provider = check.config.providers.find(target.provider);
          return provider == check.config.providers.end() || !provider->second.disabled;
        });
    if (!reachable) (list += list.empty() ? "" : ", ") += quote(name);
  }
  if (!list.empty()) check.notes.push_back("not offered, their providers being disabled: " + list);
}

}  // namespace

void check_models(const Checking& check) {
  std::vector<std::string_view> providers;
  for (const auto& [name, provider] : check.config.providers)
    providers.emplace_back(name);
  for (const auto& [name, model] : check.config.models) {
    const std::string wrong = name_problem(name, true);
    if (!wrong.empty()) check.problems.add(check.spots.find({"models", name})->key, wrong);
    for (std::size_t i = 0; i < model.targets.size(); ++i) {
      check_target(check, name, i, model.targets[i], providers);
    }
    check_defaults(check, name, model);
    check_breaker(check, name, model);
    check_queue(check, name, model);
    check_fallbacks(check, name, "fallback", model.fallback);
    check_fallbacks(check, name, "context_window_fallback", model.context_window_fallback);
  }
  if (check.config.models.empty()) check.notes.emplace_back("no models: every call will be 404");
  note_absent_models(check);
}

}  // namespace tollgate::config
