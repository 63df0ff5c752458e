#include "gateway/app/explain_state.hpp"

#include <fmt/format.h>

#include "gateway/wire/json_view.hpp"

namespace tollgate::app {
namespace {

using wire::JsonView;

std::string duration(const JsonView& milliseconds) {
  const std::int64_t ms = milliseconds.integer().value_or(0);
  return ms < 1000 ? fmt::format("{} ms", ms)
                   : fmt::format("{:.1f} s", static_cast<double>(ms) / 1000);
}

std::string breaker_text(const JsonView& target) {
  std::string text = "breaker " + target["breaker"].string();
  const std::string reason = target["reason"].string();
  if (reason.empty()) return text;
  return text + fmt::format(" ({}), asked again in {}", reason, duration(target["retry_in_ms"]));
}

std::string line_of(const JsonView& target) {
  std::string text = "now: " + breaker_text(target);
  text += fmt::format(", {} in flight", target["in_flight"].text());
  if (target["concurrent"]) text += fmt::format(" of {}", target["concurrent"].text());
  if (target["waiting"].count().value_or(0) > 0)
    text += fmt::format(", {} waiting", target["waiting"].text());
  if (target["latency_ms"].text() != "0")
    text += fmt::format(", first token after {} ms", target["latency_ms"].text());
  if (target["cooldown_ms"].count().value_or(0) > 0)
    text += ", told to wait for " + duration(target["cooldown_ms"]);
  if (const JsonView error = target["last_error"]) {
    text +=
        fmt::format(", last error {} {} ago", error["code"].string(), duration(error["ms_ago"]));
  }
  return text;
}

}  // namespace

std::vector<std::string> state_lines(std::string_view targets, std::string_view model,
                                     std::string_view provider, std::string_view upstream_model) {
  std::vector<std::string> lines;
  for (const JsonView& target : JsonView(targets)["targets"].items()) {
    if (target["model"].string() == model && target["provider"].string() == provider &&
        target["target"].string() == upstream_model) {
      lines.push_back(line_of(target));
    }
  }
  return lines;
}

}  // namespace tollgate::app
