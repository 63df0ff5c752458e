// Fields of the `cache` section; see fields.hpp. Private to config/*.cpp.
#pragma once
#include "config/spelling.hpp"

namespace tollgate::config {

template <class V>
void visit_fields(CacheKeyConfig& c, V& v) {
  v("id", c.id, "Its name, which stands with what it sealed; encryption_key has `default`.",
    Rule{.required = true});
  v("key", c.key, "32 bytes, base64.", Rule{.required = true});
}

template <class V>
void visit_fields(CacheConfig& c, V& v) {
  v("store", c.store, "memory: inside this process; redis: shared by replicas.");
  v("ttl", c.ttl, "How long a reply is kept at most; each goes up to a tenth earlier.",
    Rule{.min = 1});
  v("max_bytes", c.max_bytes, "Memory for all replies, with what keeping them costs.",
    Rule{.min = 1U << 20U});
  v("max_entry", c.max_entry, "Larger replies are not kept.", Rule{.min = 1024, .max = 1U << 30U});
  v("when", c.when,
    "Which calls it is for: deterministic (temperature 0 or a seed), always, on_request (those "
    "that say Cache-Control: max-age).");
  v("embeddings", c.embeddings,
    "Keeps the vector of each input of an embeddings call, to be found in any batch.");
  v("coalesce", c.coalesce, "Equal calls that it is for, at the same time, ask a provider once.");
  v("replay", c.replay,
    "How a kept reply is streamed: instant, all at once; paced, a few words at a time, forty times "
    "a second.");
  v("encryption_key", c.encryption_key,
    "32 bytes, base64: seals replies that stand in Redis, those of keyed calls too.");
  v("encryption_keys", c.encryption_keys,
    "In its place, to change keys: the first seals, all of them open.");
  v("redis", c.redis, "With `store: redis`; absent: the one under `store`.");
}

}  // namespace tollgate::config
