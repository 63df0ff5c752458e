#include "gateway/app/front.hpp"

#include <algorithm>
#include <array>

#include "gateway/app/generation.hpp"
#include "gateway/app/reply_fields.hpp"
#include "gateway/app/request_headers.hpp"
#include "gateway/app/usage_report.hpp"
#include "gateway/wire/dialects/models.hpp"

namespace tollgate::app {
namespace {

constexpr std::string_view models_path = "/v1/models";

struct RouteRow {
  std::string_view path;
  Endpoint endpoint;
  std::string_view method;
};
constexpr std::array rows{
    RouteRow{"/v1/chat/completions", Endpoint::chat, "POST"},
    RouteRow{"/v1/completions", Endpoint::completions, "POST"},
    RouteRow{"/v1/embeddings", Endpoint::embeddings, "POST"},
    RouteRow{models_path, Endpoint::models, "GET"},
    RouteRow{"/v1/usage", Endpoint::usage, "GET"},
};

bool is_post(Endpoint endpoint) {
  return endpoint == Endpoint::chat || endpoint == Endpoint::completions ||
         endpoint == Endpoint::embeddings;
}

/// The header lines of an allowed origin; empty where it is not allowed.
std::string cors_fields(const std::vector<std::string>& allowed, std::string_view origin) {
  if (origin.empty()) return {};
  const bool ok = std::ranges::any_of(
      allowed, [&](const std::string& name) { return name == "*" || name == origin; });
  if (!ok) return {};
  ReplyHead head;
  head.add("access-control-allow-origin", origin);
  head.add("vary", "origin");
  head.add("access-control-expose-headers",
           "x-request-id, x-tollgate-provider, x-tollgate-model, x-tollgate-attempts, "
           "x-tollgate-overhead-us, x-tollgate-dropped-params, x-tollgate-cost-usd, "
           "x-tollgate-cache, age, x-tollgate-idempotent, x-tollgate-limit-scope, "
           "x-tollgate-max-tokens, "
           "x-ratelimit-limit-requests, "
           "x-ratelimit-remaining-requests, x-ratelimit-reset-requests, "
           "x-ratelimit-limit-tokens, x-ratelimit-remaining-tokens, x-ratelimit-reset-tokens, "
           "retry-after");
  return head.fields;
}

/// A proxy may have added a header of its own beside the client's.
cache::Wish cache_wish(const RequestHead& head) {
  constexpr std::string_view name = "cache-control";
  cache::Wish wish;
  for (const HeaderView& header : head.headers) {
    // Every call comes here with every header: sizes first.
    if (header.name.size() != name.size() || !iequals(header.name, name)) continue;
    cache::add_wish(header.value, wish);
  }
  return wish;
}

Pieces owned(std::string text) {
  Pieces pieces;
  pieces.own(std::move(text));
  return pieces;
}

}  // namespace

std::shared_ptr<ServedRequest> GatewayFront::open(const RequestHead& head, const Peer& peer) {
  auto run = std::allocate_shared<Run>(PerCallAllocator<Run>());
  run->plan = services_.plan;
  run->call.started = run->call.look();
  run->call.outcome.started_at = std::chrono::system_clock::now();
  run->call.outcome.request_id = services_.ids.next(run->call.outcome.started_at);
  note_client(*run, head, peer);
  look(*run, head);
  return run;
}

void GatewayFront::note_client(Run& run, const RequestHead& head, const Peer& peer) {
  constexpr std::size_t id_bytes_max = 128;
  Outcome& outcome = run.call.outcome;
  outcome.client_request_id = printable(head.header("x-request-id"), id_bytes_max);
  outcome.client_address = peer.address;
  outcome.trace_id = asked_trace(head);
  run.cors_fields = cors_fields(run.plan->config.listen.cors, head.header("origin"));
}

/// The refusals that the head alone decides, in the contract's order.
void GatewayFront::look(Run& run, const RequestHead& head) {
  auto seen = route(run, head);
  if (seen && !run.preflight) seen = authenticate(run, head);
  if (seen && !run.preflight) seen = admit(run);
  if (seen && !run.preflight) seen = note_idempotency(run, head);
  if (seen && !run.preflight) {
    auto timeout = asked_timeout(head);
    if (timeout) {
      run.timeout = *timeout;
    } else {
      seen = std::unexpected(timeout.error());
    }
  }
  run.cache_wish = cache_wish(head);
  if (!seen) run.refusal = std::move(seen.error());
}

Result<void> GatewayFront::route(Run& run, const RequestHead& head) {
  const RouteRow* row = nullptr;
  for (const RouteRow& candidate : rows) {
    if (candidate.path == head.path) row = &candidate;
  }
  RouteRow one_model{head.path, Endpoint::model, "GET"};
  if (row == nullptr && head.path.starts_with(models_path) &&
      head.path.size() > models_path.size() + 1 && head.path[models_path.size()] == '/') {
    run.model_path = percent_decoded(head.path.substr(models_path.size() + 1));
    row = &one_model;
  }
  if (row == nullptr) {
    return fail(ErrorKind::not_found, "There is nothing at " + printable(head.path, 200) + ".");
  }
  run.call.outcome.endpoint = row->endpoint;
  if (head.method == row->method || (head.method == "HEAD" && !is_post(row->endpoint))) return {};
  if (head.method == "OPTIONS" && !run.cors_fields.empty() &&
      head.has("access-control-request-method")) {
    run.preflight = true;
    return {};
  }
  run.allow = is_post(row->endpoint) ? "POST" : "GET, HEAD";
  return fail(ErrorKind::method_not_allowed, "Only " + std::string(run.allow) + " is allowed at " +
                                                 printable(head.path, 200) + ".");
}

const policies::Key* GatewayFront::key_of(const Run& run, std::string_view secret) {
  known_.under(run.plan);
  return known_.find(run.plan->keys, secret, run.call.outcome.started_at);
}

Result<void> GatewayFront::authenticate(Run& run, const RequestHead& head) {
  if (run.plan->config.auth == config::Auth::none) {
    run.key = &run.plan->keys.anonymous();
  } else {
    const std::string_view secret = presented_key(head);
    run.key = key_of(run, secret);
    if (run.key == nullptr) {
      return fail(ErrorKind::invalid_api_key,
                  secret.empty() ? "No API key was given. Send it as 'Authorization: Bearer KEY'."
                                 : "The API key is not valid.");
    }
  }
  Outcome& outcome = run.call.outcome;
  outcome.tenant = run.key->tenant->name;
  outcome.key_id = run.key->id;
  outcome.tags = run.key->tenant->tags;
  for (auto& tag : asked_tags(head)) {
    const bool taken =
        std::ranges::any_of(outcome.tags, [&](const auto& own) { return own.first == tag.first; });
    if (!taken) outcome.tags.push_back(std::move(tag));
  }
  return {};
}

Result<void> GatewayFront::admit(Run& run) {
  Shared& shared = services_.shared;
  if (shared.draining) {
    return fail(ErrorKind::draining, "The gateway is shutting down. Please retry.");
  }
  run.in_flight.emplace(shared.in_flight);
  if (shared.in_flight > run.plan->config.listen.limits.in_flight) {
    return fail(ErrorKind::overloaded,
                "The gateway has too many requests in flight. Please retry.");
  }
  return {};
}

Result<void> GatewayFront::note_idempotency(Run& run, const RequestHead& head) {
  constexpr std::size_t key_bytes_max = 255;
  if (!run.plan->config.idempotency.on || !is_post(run.call.outcome.endpoint)) return {};
  const std::string_view key = head.header("idempotency-key");
  if (key.size() > key_bytes_max) {
    return fail(ErrorKind::invalid_request, "An Idempotency-Key has at most 255 bytes.",
                "Idempotency-Key");
  }
  if (!key.empty() && std::ranges::any_of(head.headers, [&](const HeaderView& other) {
        return iequals(other.name, "idempotency-key") && other.value != key;
      })) {
    return fail(ErrorKind::invalid_request, "A request has one Idempotency-Key.",
                "Idempotency-Key");
  }
  run.idempotency_key = key;
  return {};
}

/// No coroutine itself: each answer has a frame of its own size.
Awaitable<void> GatewayFront::serve(std::shared_ptr<ServedRequest> request, RequestBody& body,
                                    ReplyWriter& writer) {
  const auto run = std::static_pointer_cast<Run>(std::move(request));
  if (run->preflight) return answer_preflight(run, writer);
  if (run->key != nullptr && is_post(run->call.outcome.endpoint)) {
    return generate(run, body, writer);
  }
  if (run->refusal) return answer_refusal(run, writer);
  if (run->call.outcome.endpoint == Endpoint::usage) return answer_usage(run, writer);
  return answer_models(run, writer);
}

Awaitable<void> GatewayFront::generate(std::shared_ptr<Run> run, RequestBody& body,
                                       ReplyWriter& writer) {
  Generation generation(services_, *run, body, writer);
  co_await generation.serve();
}

Awaitable<void> GatewayFront::answer_preflight(std::shared_ptr<Run> run, ReplyWriter& writer) {
  ReplyHead head = base_head(*run, 204);
  head.add("access-control-allow-methods", "GET, POST, OPTIONS");
  head.add("access-control-allow-headers",
           "authorization, content-type, x-api-key, x-request-id, idempotency-key, cache-control, "
           "x-tollgate-timeout, x-tollgate-tags");
  head.add("access-control-max-age", "86400");
  co_await writer.whole(head, {});
}

Awaitable<void> GatewayFront::answer_refusal(std::shared_ptr<Run> run, ReplyWriter& writer) {
  co_await refuse(*run, *run->refusal, writer);
}

Awaitable<void> GatewayFront::refuse(Run& run, const Error& error, ReplyWriter& writer) {
  const bool known = error.kind != ErrorKind::not_found;
  services_.metrics.refused(known ? to_string(run.call.outcome.endpoint) : "other", error.status,
                            contract_code(error.kind), error.origin);
  const Pieces body = owned(wire::openai_chat().render_error(error));
  co_await writer.whole(error_head(run, error), body);
}

Awaitable<void> GatewayFront::answer_models(std::shared_ptr<Run> served, ReplyWriter& writer) {
  Run& run = *served;
  const auto created = unix_seconds(run.plan->built_at);
  std::string text;
  if (run.call.outcome.endpoint == Endpoint::models) {
    std::vector<std::string> names;
    for (const auto& route : run.plan->routes.routes()) {
      if (!route->wildcard && policies::may_use(*run.key, route->name))
        names.push_back(route->name);
    }
    text = wire::render_models(names, created);
  } else if (!run.plan->routes.find(run.model_path)) {
    co_return co_await refuse(
        run,
        make_error(ErrorKind::model_not_found, "The model '" + run.model_path + "' does not exist.",
                   "model"),
        writer);
  } else if (!policies::may_use(*run.key, run.model_path)) {
    co_return co_await refuse(
        run,
        make_error(ErrorKind::model_not_allowed,
                   "This key may not use the model '" + run.model_path + "'.", "model"),
        writer);
  } else {
    text = wire::render_model(run.model_path, created);
  }
  ReplyHead head = base_head(run, 200);
  head.add("content-type", "application/json");
  const Pieces body = owned(std::move(text));
  co_await writer.whole(head, body);
}

/// GET /v1/usage: what the asking key has used of everything that limits it.
Awaitable<void> GatewayFront::answer_usage(std::shared_ptr<Run> served, ReplyWriter& writer) {
  Run& run = *served;
  const auto& scopes = run.key->scopes->scopes;
  auto readings = co_await services_.treasury.store.read(scopes, {});
  if (!readings) co_return co_await refuse(run, readings.error(), writer);
  ReplyHead head = base_head(run, 200);
  head.add("content-type", "application/json");
  const Pieces body = owned(usage_json(run.key->tenant->name, run.key->id, *readings));
  co_await writer.whole(head, body);
}

void GatewayFront::render_early(const Error& error, ReplyHead& head, Pieces& body) {
  services_.metrics.refused("other", error.status, contract_code(error.kind), error.origin);
  head.status = error.status;
  head.add("x-request-id", services_.ids.next(std::chrono::system_clock::now()));
  head.add("content-type", "application/json");
  if (error.status == 503) head.add("retry-after", "1");
  body.own(wire::openai_chat().render_error(error));
}

}  // namespace tollgate::app
