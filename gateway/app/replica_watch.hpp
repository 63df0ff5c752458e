// Waits for a call that another replica runs under the same Idempotency-Key. The calls that came
// here with that key read a log that stays empty; when the other has ended they ask again. Begun by
// the first of them, goes on without it; the worker's thread.
#pragma once
#include "gateway/app/services.hpp"

namespace tollgate::app {

/// `services` outlives the worker's loop.
void watch_replica(const Services& services, policies::IdempotencyTable::Lead lead);

}  // namespace tollgate::app
