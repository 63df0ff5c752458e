// Waits for a call that another replica makes for all (SharedFlights), and gives what it left in
// the cache to the calls of this process that asked the same: they read it from a flight, as if its
// leader were here. One watch a key and process; begun by the first of those calls, goes on until
// none is left; the worker's thread.
#pragma once
#include <memory>
#include <string>

#include "gateway/app/services.hpp"

namespace tollgate::app {

/// What is waited for.
struct WatchedFlight {
  std::string entry;  ///< its key in the cache's Redis
  std::string owner;  ///< of the lease
  std::unique_ptr<cache::Flights::Lead> lead;
  std::shared_ptr<const Plan> plan;
};

/// `services` outlives the worker's loop.
void watch_flight(const Services& services, WatchedFlight flight);

}  // namespace tollgate::app
