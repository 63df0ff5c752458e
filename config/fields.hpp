// Fields: one visit_fields per section names every key once, with its meaning and its bounds. From
// this table come reading and unknown-key errors (read.cpp), the JSON Schema (schema.cpp) and the
// masked copy (mask.cpp). To add a key: its member in config.hpp, its line here, the place that
// uses it. Private to config/*.cpp.
#pragma once
#include "config/fields_cache.hpp"
#include "config/fields_money.hpp"

namespace tollgate::config {

template <class V>
void visit_fields(ListenTls& c, V& v) {
  v("cert_file", c.cert_file, "Certificate chain in PEM; re-read at a reload.",
    Rule{.required = true, .path = true});
  v("key_file", c.key_file, "Its private key in PEM.", Rule{.required = true, .path = true});
}

template <class V>
void visit_fields(ListenLimits& c, V& v) {
  v("header_bytes", c.header_bytes, "Largest request head; more is 431.",
    Rule{.min = 1024, .max = 16U << 20U});
  v("body_bytes", c.body_bytes, "Largest request body; more is 413.",
    Rule{.min = 1, .max = 4ULL << 30U});
  v("connections", c.connections, "Open client connections over all workers; more get 503.",
    Rule{.min = 1});
  v("in_flight", c.in_flight, "Requests being served at the same time; more get 503.",
    Rule{.min = 1});
}

template <class V>
void visit_fields(ListenTimeouts& c, V& v) {
  v("header", c.header, "From the first byte of a request to the end of its head.", Rule{.min = 1});
  v("body_idle", c.body_idle, "Between two reads of a request body.", Rule{.min = 1});
  v("write_idle", c.write_idle, "How long a client may take no byte of its reply.", Rule{.min = 1});
  v("keep_alive", c.keep_alive, "How long an idle connection stays open.", Rule{.min = 1});
  v("drain", c.drain, "After SIGTERM: how long running calls may still take.");
}

template <class V>
void visit_fields(Listen& c, V& v) {
  v("http", c.http, "Address of the API.");
  v("tls", c.tls, "Certificate of the API; absent: plain HTTP.");
  v("admin", c.admin, "Address of /metrics, /healthz, /readyz and /admin/*; never the API's.",
    Rule{.absent = "127.0.0.1:9901"});
  v("admin_token", c.admin_token,
    "Bearer token of the admin address; required when that listens beyond loopback.");
  v("metrics", c.metrics, "A further address with /metrics, /healthz and /readyz, no token.");
  v("workers", c.workers, "Worker threads; 0: one per core.", Rule{.max = 1024});
  v("cors", c.cors, "Origins that browsers may call from, or \"*\".");
  v("limits", c.limits, "What the API takes on.");
  v("timeouts", c.timeouts, "How long clients may take.");
  v("heartbeat", c.heartbeat, "Silence in a stream after which a comment is sent; 0: never.");
}

template <class V>
void visit_fields(ProviderTimeouts& c, V& v) {
  v("connect", c.connect, "DNS, TCP and TLS together.", Rule{.min = 1});
  v("first_byte", c.first_byte, "Of a stream: from the request to the first byte.", Rule{.min = 1});
  v("idle", c.idle, "Between two reads once the reply has begun.", Rule{.min = 1});
}

template <class V>
void visit_fields(ProviderTls& c, V& v) {
  v("ca_file", c.ca_file, "Certificates to trust instead of the system's, in PEM.",
    Rule{.path = true});
  v("verify", c.verify, "Whether the provider's certificate is checked. Leave it on.");
}

template <class V>
void visit_fields(ProviderLimits& c, V& v) {
  v("requests_per_minute", c.requests_per_minute, "Attempts; 0 or absent: no limit.");
  v("tokens_per_minute", c.tokens_per_minute,
    "Uncached input, cache writes and output; 0 or absent: no limit.");
  v("concurrent", c.concurrent, "Attempts at the same time; 0 or absent: no limit.");
  v("adaptive", c.adaptive,
    "Finds `concurrent` from the time to the first token, never above the one that stands here; "
    "for servers of one's own.");
}

template <class V>
void visit_fields(ProviderConfig& c, V& v) {
  v("kind", c.kind, "The dialect it speaks: openai (and all that is compatible), anthropic, ...",
    Rule{.required = true});
  v("base_url", c.base_url, "Where it is, as the provider's own SDK takes it; absent: the kind's.");
  v("api_key", c.api_key, "Our key there. One that expands to nothing disables the provider.");
  v("api_keys", c.api_keys, "Several keys, to spread calls over.");
  v("allow_fields", c.allow_fields,
    "Request fields that choose a model, route or plugin and are let through all the same.");
  v("headers", c.headers, "Added to each request.");
  v("timeouts", c.timeouts, "How long it may take.");
  v("tls", c.tls, "How its certificate is checked.");
  v("probe", OffOr{c.probe},
    "How often it is asked for its list of models while a breaker is open or nobody calls; off: "
    "never.",
    Rule{.min = 1000, .absent = "off"});
  v("limits", c.limits,
    "What the provider allows us, over all its models; a target at its limit is passed over.");
  v("price", c.price, "US dollars per million tokens, for all its models; else the price book.");
}

template <class V>
void visit_fields(TargetConfig& c, V& v) {
  v("provider", c.provider, "A name under `providers`.", Rule{.required = true});
  v("model", c.model, "The provider's name for the model; \"*\": what the wildcard matched.",
    Rule{.required = true});
  v("weight", c.weight, "Share of the calls with `strategy: weighted`.",
    Rule{.min = 1, .max = 1'000'000});
}

template <class V>
void visit_fields(RetryConfig& c, V& v) {
  v("attempts", c.attempts, "Attempts over all targets of this model, the first included.",
    Rule{.min = 1, .max = 100});
  v("base", c.base,
    "Before the same target is asked again: a random time up to this, twice as much each time.");
  v("cap", c.cap,
    "The most of it. A provider's Retry-After wins, unless it is longer and there is a fallback.");
  v("budget", c.budget,
    "Share of a target's traffic that may be such repeats; never under 10 a second.");
}

template <class V>
void visit_fields(BreakerConfig& c, V& v) {
  v("failures", c.failures, "Retryable failures in a row that open it.",
    Rule{.min = 1, .max = 1'000'000});
  v("open_for", c.open_for, "How long it stays open; then one call is let through.",
    Rule{.min = 1});
  v("error_rate", c.error_rate, "Share of failures, of at least 20 calls, that opens it.");
  v("window", c.window, "How far back that share looks.", Rule{.min = 10});
  v("max_open_for", c.max_open_for,
    "It stays open twice as long after each failed trial, up to this.", Rule{.min = 1});
  v("slow_start", c.slow_start, "How long its share of calls takes to grow back.");
}

template <class V>
void visit_fields(QueueConfig& c, V& v) {
  v("wait", c.wait, "How long a call may wait; then fallbacks are asked, then it gets a 429.",
    Rule{.min = 1});
  v("max", c.max, "Calls that may wait at the same time.", Rule{.min = 1, .max = 1'000'000});
}

template <class V>
void visit_fields(HedgeConfig& c, V& v) {
  v("after", c.after,
    "How long the first token is awaited: a time, or p95: what 95 of 100 recent first tokens of "
    "the model took at most.");
  v("max_share", c.max_share, "The most of the model's calls that get a second request.");
}

template <class V>
void visit_fields(ModelConfig& c, V& v) {
  v("targets", c.targets, "Where its calls go.", Rule{.required = true});
  v("strategy", c.strategy, "How the first target is chosen.");
  v("affinity", c.affinity,
    "Calls that belong together go to the same target while it is healthy: those that begin with "
    "the same messages (prefix), or those of the same `user`.");
  v("timeout", c.timeout, "The whole call, every attempt in it.", Rule{.min = 1});
  v("hold_back", c.hold_back,
    "How long the first content token is awaited before 200 is sent; until then failover is "
    "invisible.");
  v("on_disconnect", c.on_disconnect, "What a client's hang-up does to the provider's call.");
  v("defaults", JsonMembers{c.defaults}, "Request fields filled in where the client is silent.");
  v("unsupported_params", c.unsupported_params,
    "What happens to a request field that a provider cannot take: drop (and name it in "
    "x-tollgate-dropped-params) or refuse.");
  v("retry", c.retry, "How failures are retried.");
  v("breaker", c.breaker,
    "When a target that fails is left alone; where models share a target, the strictest holds.");
  v("queue", c.queue,
    "While every target is at its provider's limit its calls wait, fair by the tenants' `weight`; "
    "absent: they do not.");
  v("max_attempts", c.max_attempts, "Requests to providers per call.", Rule{.min = 1, .max = 100});
  v("continue_streams", c.continue_streams,
    "A stream that dies or stalls after its first content goes on at the next target, with the "
    "text so far.");
  v("hedge", c.hedge,
    "When the first target is slow a second one is asked too, and the first token wins.");
  v("fallback", c.fallback,
    "Other models of this file, in order, for when every target has failed; those that the key "
    "may not use are skipped.");
  v("context_window_fallback", c.context_window_fallback,
    "Other models of this file, in order, for prompts that do not fit.");
  v("limits", c.limits, "Over all tenants.");
  v("budgets", c.budgets, "Over all tenants.");
}

template <class V>
void visit_fields(KeyConfig& c, V& v) {
  v("id", c.id, "Public name of the key, unique in the file; part of the secret.",
    Rule{.required = true});
  v("sha256", c.sha256, "Hex SHA-256 of the whole secret; `tollgate key new` prints it.",
    Rule{.required = true, .digest = true});
  v("expires", c.expires, "Date (from 00:00 UTC) or RFC 3339 time from which it is refused.");
  v("models", c.models, "Models it may use, of those of its tenant; absent: all of them.");
  v("lookup", Lookup{c.by_hash}, "hash: a key of any form, brought from another gateway.");
  v("formerly", c.formerly, "Ids that it had before; its balances follow.");
  v("limits", c.limits, "Of this key alone; those of its tenant hold too.");
  v("budgets", c.budgets, "Of this key alone; those of its tenant hold too.");
}

template <class V>
void visit_fields(TenantConfig& c, V& v) {
  v("keys", c.keys, "The keys its clients call with.");
  v("models", c.models, "Models it may use, exact or with a trailing \"*\"; absent: all.");
  v("provider_keys", c.provider_keys, "The tenant's own keys, by provider.");
  v("tags", TextMembers{c.tags}, "Noted with each of its calls.");
  v("parent", c.parent, "A tenant whose limits, budgets and allowlist hold for this one too.");
  v("tier", c.tier, "A name under `tiers`; the tenant's own entries win.");
  v("formerly", c.formerly, "Names that it had before; its balances follow.");
  v("limits", c.limits, "Over all its keys.");
  v("per_user", c.per_user, "Of each `user` that requests name.");
  v("budgets", c.budgets, "What it may spend, at most one for each `per`.");
  v("clip_min_tokens", c.clip_min_tokens,
    "The least max_tokens that a nearly spent budget may cut a reply to; 0: never cut, deny.");
  v("on_budget_exceeded", Downgrade{c.on_budget_exceeded.downgrade},
    "deny, or {downgrade: model}: the call runs under that model instead.");
  v("weight", c.weight, "Its share of the places at a provider while calls wait for them.",
    Rule{.min = 1, .max = 1'000'000});
  v("prices", c.prices, "Its own agreements.");
  v("cache", c.cache,
    "Whose kept replies it is answered from: tenant (its own), shared (those of all that share), "
    "off.");
}

template <class V>
void visit_fields(IdempotencyConfig& c, V& v) {
  v("ttl", c.ttl, "How long a reply is kept after its end.",
    Rule{.min = 1000, .max = 30ULL * 86'400'000});
  v("max_bytes", c.max_bytes, "Memory for kept replies, shared by tenants.",
    Rule{.min = 1U << 20U});
}

template <class V>
void visit_fields(LogConfig& c, V& v) {
  v("level", c.level, "Least severity that is written.", Rule{.words = log_levels});
  v("format", c.format, "One JSON object a line, or text.", Rule{.words = log_formats});
  v("output", c.output, "stderr, stdout or a path.", Rule{.words = log_outputs, .path = true});
  v("access", c.access, "One line per call: stdout, stderr, off or a path.",
    Rule{.words = access_outputs, .path = true});
  v("bodies", c.bodies, "Prompts and replies are never logged.");
}

template <class V>
void visit_fields(Config& c, V& v) {
  v("version", c.version, "Version of this format.", Rule{.required = true, .min = 1, .max = 1});
  v("include", c.include, "Further files, by path or glob, relative to this one; merged by name.");
  v("listen", c.listen, "Where the gateway listens.");
  v("providers", c.providers, "A name of your own -> where a provider is and how it is called.");
  v("models", c.models,
    "The name clients ask for, exact or with a trailing \"*\" -> targets. An exact name beats the "
    "longest wildcard.");
  v("tiers", c.tiers, "Named bundles of limits, per_user, budgets and models.");
  v("tenants", c.tenants, "Who may call, with which keys.");
  v("prices", c.prices, "What models cost.");
  v("store", c.store, "Where limits and budgets are kept.");
  v("cache", c.cache, "Answers equal calls from replies that were kept; absent: no cache.");
  v("idempotency", OrOff<IdempotencyConfig>{c.idempotency},
    "Retries with an Idempotency-Key get the first call's reply; off: the header is ignored.");
  v("ledger", c.ledger, "The books: where rows and intents are kept.");
  v("auth", c.auth, "none: no keys at all; on loopback only and with at most one tenant.");
  v("log", c.log, "What is logged, and where to.");
}

}  // namespace tollgate::config
