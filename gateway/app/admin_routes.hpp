// The admin port's pages: metrics, health, readiness, reload, the configuration with its secrets
// masked. Control thread only.
#pragma once
#include <functional>
#include <vector>

#include "gateway/app/reload.hpp"
#include "gateway/app/services.hpp"
#include "gateway/net/admin.hpp"

namespace tollgate::app {

/// What every scraper and probe may ask: /metrics, /healthz, /readyz.
[[nodiscard]] std::vector<net::AdminRoute> probe_routes(Shared& shared);
class Worker;

/// Those and POST /admin/reload, GET /admin/config. `purger` empties the cache where that stands in
/// Redis, else nullptr.
[[nodiscard]] std::vector<net::AdminRoute> admin_routes(Shared& shared, Reloader& reloader,
                                                        Worker* purger);

}  // namespace tollgate::app
