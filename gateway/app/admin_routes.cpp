#include "gateway/app/admin_routes.hpp"

#include "config/load.hpp"
#include "gateway/app/target_report.hpp"
#include "gateway/app/worker.hpp"
#include "gateway/wire/json_shape.hpp"
#include "gateway/wire/json_writer.hpp"

namespace tollgate::app {
namespace {

using net::AdminReply;

void write_list(wire::JsonWriter& json, std::string_view name,
                const std::vector<std::string>& lines) {
  json.key(name).begin_array();
  for (const std::string& line : lines)
    json.value(std::string_view(line));
  json.end_array();
}

AdminReply reload_reply(const Reloader::Report& report) {
  AdminReply reply{.status = report.ok ? 200 : 422, .content_type = "application/json", .body = {}};
  wire::JsonWriter json(reply.body);
  json.begin_object().member("status", report.ok ? "reloaded" : "rejected");
  write_list(json, "problems", report.problems);
  write_list(json, "notes", report.notes);
  write_list(json, "restart_required", report.restart_required);
  json.end_object();
  return reply;
}

/// `{"tenant": ..., "model": ...}`, one or both, or `{"all": true}`. nullopt: something else.
std::optional<cache::Purge> read_purge(const wire::JsonShape& shape, std::string& tenant,
                                       std::string& model) {
  bool all = false;
  for (const wire::JsonField& field : shape.fields()) {
    const auto text = wire::json_string(field.value);
    if (field.name == "tenant" && text && !text->empty()) {
      tenant = *text;
    } else if (field.name == "model" && text && !text->empty()) {
      model = *text;
    } else if (field.name == "all" && field.value == "true") {
      all = true;
    } else {
      return std::nullopt;
    }
  }
  const bool some = !tenant.empty() || !model.empty();
  if (all == some) return std::nullopt;
  return cache::Purge{.tenant = tenant, .model = model};
}

AdminReply no_purge() {
  return net::admin_error(400, "invalid_request_error",
                          R"(Say what is to go: {"tenant":"..."}, {"model":"..."} (as in the )"
                          R"(configuration), both, or {"all":true}.)");
}

AdminReply purged(std::uint64_t count) {
  AdminReply reply{.status = 200, .content_type = "application/json", .body = {}};
  wire::JsonWriter json(reply.body);
  json.begin_object().member("purged", count).end_object();
  return reply;
}

AdminReply purge_reply(cache::MemoryCache& cache, std::string_view body) {
  const auto shape = wire::JsonShape::read(body);
  std::string tenant, model;
  const auto purge = shape ? read_purge(*shape, tenant, model) : std::nullopt;
  return purge ? purged(cache.purge(*purge)) : no_purge();
}

bool shares(const config::Config& config, const std::string& tenant) {
  const auto found = config.tenants.find(tenant);
  return found != config.tenants.end() && found->second.cache == config::TenantCache::shared;
}

void purge_shared(Worker& worker, const Plan& plan, std::string_view body,
                  const net::AdminRoute::Done& done) {
  const auto shape = wire::JsonShape::read(body);
  std::string tenant, model;
  if (!shape || !read_purge(*shape, tenant, model)) return done(no_purge());
  const bool sharing = shares(plan.config, tenant);
  worker.purge_cache(
      {std::move(tenant), std::move(model), sharing}, [done](Result<std::uint64_t> gone) {
        done(gone ? purged(*gone)
                  : net::admin_error(503, "store_unavailable",
                                     "The cache's Redis does not answer: " + gone.error().detail));
      });
}

}  // namespace

std::vector<net::AdminRoute> probe_routes(Shared& shared) {
  return {
      {"GET", "/metrics",
       [&shared](std::string_view) {
         return AdminReply{.status = 200,
                           .content_type = "text/plain; version=0.0.4; charset=utf-8",
                           .body = shared.metrics.scrape()};
       }},
      {"GET", "/healthz", [](std::string_view) { return AdminReply{.body = "ok\n"}; }},
      {"GET", "/readyz",
       [&shared](std::string_view) {
         return shared.draining ? AdminReply{.status = 503, .body = "draining\n"}
                                : AdminReply{.body = "ready\n"};
       }},
  };
}

std::vector<net::AdminRoute> admin_routes(Shared& shared, Reloader& reloader, Worker* purger) {
  std::vector<net::AdminRoute> routes = probe_routes(shared);
  routes.push_back({"POST", "/admin/reload", [&reloader](std::string_view) {
                      return reload_reply(reloader.reload("admin"));
                    }});
  routes.push_back({"GET", "/admin/config", [&reloader](std::string_view) {
                      return AdminReply{.status = 200,
                                        .content_type = "application/yaml",
                                        .body = config::masked_yaml(reloader.plan()->config)};
                    }});
  routes.push_back({"GET", "/admin/targets", [&reloader](std::string_view) {
                      return AdminReply{.status = 200,
                                        .content_type = "application/json",
                                        .body = targets_json(reloader.plan()->routes,
                                                             std::chrono::steady_clock::now())};
                    }});
  if (purger != nullptr) {
    routes.push_back({.method = "POST",
                      .path = "/admin/cache/purge",
                      .handle = nullptr,
                      .handle_later = [purger, &reloader](std::string_view body, auto done) {
                        purge_shared(*purger, *reloader.plan(), body, done);
                      }});
  } else if (shared.cache != nullptr) {
    routes.push_back({"POST", "/admin/cache/purge", [&shared](std::string_view body) {
                        return purge_reply(*shared.cache, body);
                      }});
  }
  return routes;
}

}  // namespace tollgate::app
