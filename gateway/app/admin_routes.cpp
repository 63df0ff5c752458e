#include "gateway/app/admin_routes.hpp"

#include "config/load.hpp"
#include "gateway/app/target_report.hpp"
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

std::vector<net::AdminRoute> admin_routes(Shared& shared, Reloader& reloader) {
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
  return routes;
}

}  // namespace tollgate::app
