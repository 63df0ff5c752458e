// Run: one request in the application's hands, from its head to its last byte. What the head alone
// decided (route, key, refusals) is here; what a POST then does is Generation's.
// Made by GatewayFront::open, on the connection's worker.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/app/lead_call.hpp"
#include "gateway/app/services.hpp"
#include "gateway/core/call.hpp"
#include "gateway/core/front.hpp"
#include "gateway/core/rare.hpp"
#include "policies/cache/eligible.hpp"

namespace tollgate::app {

/// Counts a call as in flight for as long as it lives.
class InFlight {
 public:
  explicit InFlight(std::atomic<std::uint32_t>& count) : count_(&count) { ++*count_; }
  ~InFlight() { --*count_; }
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;

 private:
  std::atomic<std::uint32_t>* count_;
};

struct Run final : ServedRequest {
  /// A model may want its provider read to the end all the same (`on_disconnect: drain`).
  void leave(Error reason) noexcept override {
    if (reason.kind == ErrorKind::client_gone && (call.resting ? is_awaited() : stays())) {
      call.deserted = true;
      left.emplace(std::move(reason));
    } else {
      call.abort.abort(std::move(reason));
    }
  }

  /// True: its client has gone, and its provider is read to the end all the same.
  [[nodiscard]] bool stays() noexcept { return drains || is_awaited(); }
  /// Others follow it, who would have to begin again.
  [[nodiscard]] bool is_awaited() noexcept { return leads != nullptr && leads->goes_on(); }

  std::shared_ptr<const Plan> plan;
  Call call;
  const policies::Key* key = nullptr;  ///< nullptr: not authenticated, so not logged
  Rare<Error> refusal;
  bool preflight = false;
  std::string model_path;                            ///< GET /v1/models/{this}
  std::string_view allow;                            ///< for a 405
  std::string limit_fields;                          ///< header lines: what is left of its limits
  std::string cache_fields;                          ///< header lines: what the cache had
  cache::Wish cache_wish;                            ///< `Cache-Control`, with or without a cache
  std::string cors_fields;                           ///< header lines for an allowed origin
  std::optional<std::chrono::milliseconds> timeout;  ///< x-tollgate-timeout
  std::string idempotency_key;                       ///< empty: none
  bool drains = false;        ///< an attempt runs that a hang-up does not end
  LeadCall* leads = nullptr;  ///< one runs that others may want to the end
  Rare<Error> left;           ///< the client has gone meanwhile
  std::optional<InFlight> in_flight;
};

}  // namespace tollgate::app
