#include "gateway/app/warnings.hpp"

#include "gateway/app/plan.hpp"
#include "gateway/wire/json_writer.hpp"
#include "policies/denial.hpp"

namespace tollgate::app {
namespace {

constexpr auto webhook_time = std::chrono::seconds(10);

std::string text_of(const Crossing& crossing) {
  const std::string share =
      std::to_string(crossing.permille / 10) +
      (crossing.permille % 10 == 0 ? std::string() : "." + std::to_string(crossing.permille % 10));
  std::string text = "budget of " + crossing.scope->label() + " per " +
                     std::string(to_string(crossing.budget.per)) + ": " + share + " % is spent (" +
                     usd_text(crossing.spent) + " of " + usd_text(crossing.budget.ceiling) +
                     " USD, " + usd_text(crossing.reserved) + " reserved)";
  if (crossing.gone_at) {
    text += "; at the present rate it is gone at " + policies::time_text(*crossing.gone_at);
  }
  return text;
}

void write_time(wire::JsonWriter& json, std::string_view name, std::optional<SystemTime> time) {
  json.key(name);
  if (!time || *time == SystemTime::max()) {
    json.null();
  } else {
    json.value(std::string_view(policies::time_text(*time)));
  }
}

}  // namespace

/// One delivery; keeps all that the exchange refers to.
struct BudgetWarnings::Post {
  routing::ProviderEntry where;
  routing::HttpRequest request;
  AbortSlot slot;
};

std::string warning_json(const Crossing& crossing) {
  std::string body;
  wire::JsonWriter json(body);
  const auto money = [&](std::string_view name, NanoUsd nano) {
    json.key(name).raw(usd_text(nano));
  };
  json.begin_object().member("event", "budget_warning");
  json.member("scope", std::string_view(crossing.scope->label()));
  json.member("per", to_string(crossing.budget.per));
  json.key("warn_at").raw(usd_text(NanoUsd{crossing.permille} * 1'000'000));
  money("spent_usd", crossing.spent);
  money("reserved_usd", crossing.reserved);
  money("limit_usd", crossing.budget.ceiling);
  write_time(json, "resets_at", crossing.resets_at);
  write_time(json, "gone_at", crossing.gone_at);
  json.end_object();
  return body;
}

void BudgetWarnings::tell(const std::vector<Crossing>& crossings) {
  for (const Crossing& crossing : crossings) {
    log_.warn(text_of(crossing));
    metrics_.count_warning(to_string(crossing.scope->kind), to_string(crossing.budget.per));
    if (crossing.budget.webhook.empty()) continue;
    auto post = std::make_shared<Post>();
    post->where.name = "webhook";
    post->where.address = parse_base_url(crossing.budget.webhook);
    post->request.target = std::exchange(post->where.address.base_path, {});
    if (post->request.target.empty()) post->request.target = "/";
    post->request.headers.add("content-type", "application/json");
    post->request.body.own(warning_json(crossing));
    start(send(std::move(post), upstream_, log_), [](const std::exception_ptr&) {});
  }
}

Awaitable<void> BudgetWarnings::send(std::shared_ptr<Post> post, routing::Upstream& upstream,
                                     Log& log) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + webhook_time;
  auto sent = co_await upstream.send({post->where, post->request, false, deadline, post->slot});
  std::string failure;
  if (!sent) {
    failure = sent.error().message;
  } else {
    auto head = co_await (*sent)->await_head(deadline);
    if (!head || !*head) {
      failure = head ? "no answer" : head.error().message;
    } else if ((*sent)->head().status >= 300) {
      failure = "it answered " + std::to_string((*sent)->head().status);
    }
  }
  if (!failure.empty()) log.warn("budget webhook not delivered: " + failure);
}

}  // namespace tollgate::app
