// The parts around a call, scripted: a provider, a client, a policy that counts its settlements.
// Every step can be made to fail; what happened is written down.
#pragma once
#include <boost/asio/io_context.hpp>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "gateway/app/front.hpp"
#include "gateway/app/services.hpp"
#include "gateway/core/signal.hpp"
#include "gateway/net/deadlines.hpp"
#include "policies/store/memory.hpp"

namespace tollgate::app::test {

/// Counts the steps of a call; step `fail_at` fails (1 is the first; 0: none).
struct Steps {
  int fail_at = 0;
  int taken = 0;
  bool fails() { return ++taken == fail_at; }
};

/// A provider whose reply comes in given pieces; every send, head and read is a step.
struct ScriptedUpstream final : routing::Upstream {
  Steps& steps;
  std::vector<std::string> pieces;
  int sent = 0, open = 0;
  std::vector<std::string> bodies;  ///< of the requests that were sent
  /// What the provider says for an upstream model, where not `pieces`.
  struct Script {
    int status = 200;
    std::vector<std::string> pieces;
    bool dies = false;    ///< cut behind the last piece
    bool silent = false;  ///< no head ever comes
    bool late = false;    ///< the head comes when the upstream is woken
  };
  std::map<std::string, Script> scripts;
  std::function<void()> on_send;  ///< what happens meanwhile
  Signal woken;
  void wake() { woken.notify(); }
  std::vector<std::chrono::nanoseconds> pauses;   ///< that were asked for; none is waited
  std::function<void(AbortSlot& slot)> on_pause;  ///< what happens meanwhile

  ScriptedUpstream(Steps& counted, std::vector<std::string> reply)
      : steps(counted), pieces(std::move(reply)) {}
  Awaitable<Result<std::unique_ptr<routing::UpstreamReply>>> send(
      const routing::UpstreamRequest& request) override;
  Awaitable<Result<void>> pause(SteadyTime until, AbortSlot& slot) override;
};

/// A client that takes what it is given; every read and write is a step.
struct ScriptedClient final : RequestBody, ReplyWriter {
  Steps& steps;
  std::string request, head, received;
  int replies = 0;
  bool streaming = false, ended = false;

  ScriptedClient(Steps& counted, std::string body) : steps(counted), request(std::move(body)) {}
  Awaitable<Result<std::string_view>> read(std::uint64_t limit) override;
  Awaitable<Result<void>> whole(const ReplyHead& reply, const Pieces& body) override;
  void begin(const ReplyHead& reply) override;
  Awaitable<Result<void>> write(const Pieces& body) override;
  Awaitable<Result<void>> end() override;
  [[nodiscard]] bool started() const override { return replies > 0; }
};

/// Admits everybody (a step) and counts how often its watches are settled.
struct CountingPolicy final : policies::Policy {
  Steps& steps;
  int& admitted;
  int& settled;
  CountingPolicy(Steps& counted, int& in, int& out) : steps(counted), admitted(in), settled(out) {}
  Awaitable<Result<policies::Admission>> admit(policies::Request& request) const override;
};

struct Recorder final : OutcomeSink {
  std::vector<Outcome> outcomes;
  void record(const Outcome& outcome) noexcept override { outcomes.push_back(outcome); }
};

/// One gateway without sockets, and one call through it.
struct House {
  Steps steps;
  int admitted = 0, settled = 0;
  std::unique_ptr<Log> log;
  AccessLog access_log{"off"};
  Metrics metrics;
  Clock clock;
  policies::MemoryStore store{clock};
  policies::TokenEstimates estimates;
  policies::IdempotencyTable idempotency{clock};
  boost::asio::io_context io;
  net::Deadlines deadlines{io};
  const Loop loop{io, deadlines};
  Shared shared;
  MetricsSink sink{metrics};
  Recorder recorder;
  ScriptedUpstream upstream;
  BudgetWarnings warnings;
  Services services;
  ServedRequest* run = nullptr;   ///< the call under way
  std::function<void()> on_wait;  ///< what happens when it waits; else it must not

  House(const std::string& yaml, std::vector<std::string> reply, int fail_at);
  /// Serves one POST /v1/chat/completions; returns what the client saw.
  ScriptedClient call(const std::string& body, const std::string& secret,
                      const std::string& idempotency_key = {});
};

}  // namespace tollgate::app::test
