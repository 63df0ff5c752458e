#include "gateway/app/cache_commands.hpp"

#include <ostream>

#include "gateway/app/plain_http.hpp"
#include "gateway/wire/json_view.hpp"
#include "gateway/wire/json_writer.hpp"

namespace tollgate::app {

int cache_purge(const config::Config& config, const CachePurge& purge, std::ostream& out,
                std::ostream& err) {
  PlainRequest request{.address = *config.listen.admin,
                       .method = "POST",
                       .path = "/admin/cache/purge",
                       .token = config.listen.admin_token.value,
                       .body = {}};
  wire::JsonWriter json(request.body);
  json.begin_object();
  if (!purge.tenant.empty()) json.member("tenant", purge.tenant);
  if (!purge.model.empty()) json.member("model", purge.model);
  if (purge.tenant.empty() && purge.model.empty()) json.member("all", true);
  json.end_object();
  const PlainAnswer answer = ask_plain(request);
  const auto count = wire::JsonView(answer.body)["purged"].count();
  if (answer.status == 200 && count) {
    out << "purged: " << *count << '\n';
    return 0;
  }
  err << "not purged: "
      << (answer.wrong.empty() ? "status " + std::to_string(answer.status) : answer.wrong) << '\n';
  return 1;
}

}  // namespace tollgate::app
