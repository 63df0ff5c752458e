// Outcome: what one call did, complete enough for the access log, the metrics and the ledger.
// Filled along the way by the run, handed once to every OutcomeSink when the call is settled.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gateway/core/clock.hpp"
#include "gateway/core/event.hpp"
#include "gateway/core/http.hpp"
#include "gateway/core/money.hpp"

namespace tollgate {

enum class Endpoint : std::uint8_t { chat, completions, embeddings, models, model, usage };
[[nodiscard]] std::string_view to_string(Endpoint endpoint);  ///< "/v1/chat/completions", ...

/// The ledger's `status` values (contract, section 6).
enum class CallStatus : std::uint8_t {
  ok,
  error,
  client_abort,
  cancelled,
  cache_hit,
  denied,
  unknown
};
[[nodiscard]] std::string_view to_string(CallStatus status);

/// One request sent to a provider.
struct AttemptOutcome {
  std::string provider, upstream_model;
  std::string model;  ///< the name in the file that it ran under, where the call has left it
  CallStatus status = CallStatus::unknown;
  int http_status = 0;           ///< the provider's; 0: none came
  std::string error;             ///< code, empty when fine
  std::string_view error_label;  ///< the contract's code for it: a metric's label
  std::string error_detail;      ///< for the log
  SystemTime started_at{}, ended_at{};
  Usage usage;
  bool usage_from_provider = false;
  NanoUsd reserved = 0;         ///< its bound
  std::optional<NanoUsd> cost;  ///< absent: the price is unknown
  NanoUsd charged = 0;          ///< what budgets were charged
  CostByKind cost_by_kind;
  std::string price_version;
  NanoUsd overrun = 0;  ///< how far the cost passed what was reserved (M7)
};

struct Outcome {
  std::string request_id, client_request_id;
  SystemTime started_at{}, ended_at{};
  std::string tenant, key_id, user;
  HeaderList tags;
  Endpoint endpoint = Endpoint::chat;
  std::string model_asked, model;  ///< `model`: the name in the file that answered
  std::string provider, provider_kind, upstream_model;  ///< of the attempt that answered
  bool stream = false;
  CallStatus status = CallStatus::unknown;
  int http_status = 0;  ///< what the client got; 499: it had gone
  std::string error, error_detail;
  std::string_view error_label;  ///< the contract's code for it: a metric's label
  Origin error_origin = Origin::gateway;
  std::string finish;
  Usage usage;
  bool usage_from_provider = false;
  std::chrono::microseconds ttft{-1};  ///< -1: no content came
  std::chrono::microseconds duration{0};
  std::chrono::microseconds overhead{0};           ///< our own time: duration less waiting
  std::optional<std::chrono::nanoseconds> queued;  ///< for a place at a provider; absent: no wait
  std::vector<AttemptOutcome> attempts;
  std::uint64_t request_bytes = 0, response_bytes = 0;
  std::vector<std::string> dropped_params;
  std::string client_address;
  SystemTime admitted_at{};  ///< by the store's clock; the epoch: never admitted
  // Money of all attempts together; `cost` is absent where one's price is unknown.
  std::optional<NanoUsd> cost;
  NanoUsd charged = 0, avoided = 0;
  CostByKind cost_by_kind;
  std::string price_version;
  bool booked = false;      ///< has rows in the ledger: it named a model that its key may use
  std::uint64_t count = 1;  ///< denials that this row stands for (M29)
  std::string cache;        ///< hit, miss, ...; empty: no cache
  std::string trace_id;
};

/// A place that outcomes go to. Called on the worker's thread, never blocks.
struct OutcomeSink {
  virtual ~OutcomeSink() = default;
  virtual void record(const Outcome& outcome) noexcept = 0;
};

}  // namespace tollgate
