#include "tests/unit/app/scripted.hpp"

#include <doctest/doctest.h>
#include <thread>

#include "config/load.hpp"
#include "gateway/app/reload.hpp"

namespace tollgate::app::test {
namespace {

struct ScriptedReply final : routing::UpstreamReply, Abortable {
  ScriptedUpstream& upstream;
  AbortSlot& slot;
  Signal given_up;
  ResponseHead response;
  routing::UpstreamTimes timing;
  std::size_t next = 0;

  ScriptedUpstream::Script script;

  ScriptedReply(ScriptedUpstream& from, AbortSlot& call, ScriptedUpstream::Script played)
      : upstream(from), slot(call), script(std::move(played)) {
    ++upstream.open;
    response.status = script.status;
    const bool events = script.pieces.empty() || script.pieces.front().starts_with("data: ");
    response.headers = {{"content-type", events ? "text/event-stream" : "application/json"}};
  }
  ~ScriptedReply() override { --upstream.open; }

  void abort() noexcept override { given_up.notify(); }
  /// A short time passes at once.
  Awaitable<Result<bool>> await_head(SteadyTime until) override {
    constexpr auto awaited_most = std::chrono::seconds(1);
    if (script.silent || script.late) {
      if (until < std::chrono::steady_clock::now() + awaited_most) {
        std::this_thread::sleep_until(until);
        co_return false;
      }
      const AbortScope scope(slot, *this);
      if (script.silent) co_await given_up.wait();
      if (script.late) co_await upstream.woken.wait();
      if (slot.aborted()) co_return std::unexpected(slot.reason());
    }
    if (upstream.steps.fails()) co_return fail(ErrorKind::upstream_error, "no head");
    co_return true;
  }
  [[nodiscard]] const ResponseHead& head() const override { return response; }
  Awaitable<Result<routing::ReadStep>> read(SteadyTime) override {
    using What = routing::ReadStep::What;
    if (upstream.steps.fails()) co_return fail(ErrorKind::stream_cut, "cut");
    if (next == script.pieces.size()) {
      if (script.dies) co_return fail(ErrorKind::stream_cut, "cut");
      co_return routing::ReadStep{.what = What::end, .block = {}, .bytes = {}};
    }
    const std::string& piece = script.pieces[next++];
    auto block = std::make_shared<Block>(piece.size());
    const std::string_view bytes = block->append(piece);
    co_return routing::ReadStep{.what = What::bytes, .block = block, .bytes = bytes};
  }
  [[nodiscard]] const routing::UpstreamTimes& times() const override { return timing; }
  void close() noexcept override {}
};

struct CountingWatch final : policies::Watch {
  int& settled;
  explicit CountingWatch(int& count) : settled(count) {}
  Awaitable<void> settle(const Outcome&) override {
    ++settled;
    co_return;
  }
};

config::Config loaded(const std::string& yaml) {
  config::Loaded result = config::load_text(yaml, "test.yaml", real_surroundings());
  for (const config::Problem& problem : result.problems)
    MESSAGE(problem.text());
  REQUIRE(result.config);
  return std::move(*result.config);
}

}  // namespace

Awaitable<Result<std::unique_ptr<routing::UpstreamReply>>> ScriptedUpstream::send(
    const routing::UpstreamRequest& request) {
  ++sent;
  if (on_send) on_send();
  if (steps.fails()) co_return fail(ErrorKind::upstream_error, "no connection");
  Script script{.status = 200, .pieces = pieces};
  const std::string& body = bodies.emplace_back(request.http.body.joined());
  for (const auto& [model, own] : scripts) {
    if (body.find("\"model\":\"" + model + '"') != std::string::npos) script = own;
  }
  co_return std::make_unique<ScriptedReply>(*this, request.slot, std::move(script));
}

Awaitable<Result<void>> ScriptedUpstream::pause(SteadyTime until, AbortSlot& slot) {
  pauses.push_back(until - std::chrono::steady_clock::now());
  if (on_pause) on_pause(slot);
  if (slot.aborted()) co_return std::unexpected(slot.reason());
  co_return Result<void>{};
}

Awaitable<Result<std::string_view>> ScriptedClient::read(std::uint64_t) {
  if (steps.fails()) co_return fail(ErrorKind::client_gone, "gone");
  co_return std::string_view(request);
}

Awaitable<Result<void>> ScriptedClient::whole(const ReplyHead& reply, const Pieces& body) {
  ++replies;
  head = std::to_string(reply.status) + "\r\n" + reply.fields;
  received += body.joined();
  ended = true;
  if (steps.fails()) co_return fail(ErrorKind::client_gone, "gone");
  co_return Result<void>{};
}

void ScriptedClient::begin(const ReplyHead& reply) {
  ++replies;
  streaming = true;
  head = std::to_string(reply.status) + "\r\n" + reply.fields;
}

Awaitable<Result<void>> ScriptedClient::write(const Pieces& body) {
  CHECK(streaming);
  CHECK_FALSE(ended);
  received += body.joined();
  if (steps.fails()) co_return fail(ErrorKind::client_gone, "gone");
  co_return Result<void>{};
}

Awaitable<Result<void>> ScriptedClient::end() {
  CHECK_FALSE(ended);
  ended = true;
  if (steps.fails()) co_return fail(ErrorKind::client_gone, "gone");
  co_return Result<void>{};
}

Awaitable<Result<policies::Admission>> CountingPolicy::admit(policies::Request&) const {
  if (steps.fails()) co_return fail(ErrorKind::overloaded, "denied");
  ++admitted;
  co_return policies::Admission{std::make_unique<CountingWatch>(settled)};
}

House::House(const std::string& yaml, std::vector<std::string> reply, int fail_at)
    : steps{.fail_at = fail_at},
      log(std::move(*Log::open({.level = "off"}))),
      shared{
          .log = *log, .access_log = access_log, .metrics = metrics, .idempotency = &idempotency},
      upstream(steps, std::move(reply)),
      warnings(*log, metrics, upstream),
      services{.shared = shared,
               .plan = {},
               .upstream = upstream,
               .metrics = sink,
               .warnings = warnings,
               .treasury = {store, estimates, nullptr},
               .sinks = {&sink, &recorder},
               .ids = {},
               .loop = &loop} {
  auto plan = std::make_shared<Plan>(loaded(yaml));
  plan->policies.push_back(std::make_unique<CountingPolicy>(steps, admitted, settled));
  plan->policies.push_back(std::make_unique<CountingPolicy>(steps, admitted, settled));
  for (const auto& scope : plan->scopes.all())
    store.attach(*scope);
  services.plan = std::move(plan);
}

ScriptedClient House::call(const std::string& body, const std::string& secret,
                           const std::string& idempotency_key) {
  ScriptedClient client(steps, body);
  GatewayFront front(services);
  const std::string authorization = "Bearer " + secret;
  RequestHead head;
  head.method = "POST";
  head.path = head.target = "/v1/chat/completions";
  head.headers = {{"host", "test"}, {"authorization", authorization}};
  if (!idempotency_key.empty()) head.headers.push_back({"idempotency-key", idempotency_key});
  const Peer peer{.address = "127.0.0.1", .loopback = true};
  bool served = false;
  auto opened = front.open(head, peer);
  run = opened.get();
  start(front.serve(std::move(opened), client, client),
        [&served](const std::exception_ptr& thrown) { served = !thrown; });
  if (!served && on_wait) on_wait();
  run = nullptr;
  CHECK(served);  // nothing in it waits
  return client;
}

}  // namespace tollgate::app::test
