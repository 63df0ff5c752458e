// RedisLeases: the leases in Redis that calls of one worker hold while they run, each a name and
// the random word that only its holder knows. Renewed all together, by whoever owns the list: keyed
// calls (ReplicaKeys) and calls that lead equal ones (SharedFlights). The worker's thread.
#pragma once
#include <boost/intrusive/list.hpp>
#include <string>

#include "policies/store/redis_port.hpp"

namespace tollgate::policies {

/// Leaves its list when it dies.
struct RedisLease
    : boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
  std::string name, owner;
};

class RedisLeases {
 public:
  /// Renewed from now on, until it is unlinked; stays where it is.
  void add(RedisLease& lease) { held_.push_back(lease); }
  /// Asks `script` for each, with its owner and `millis`. All at once, so that one that is slow
  /// does not let the others run out; what fails is tried again next time.
  void renew(RedisPort& port, const RedisScript& script, std::chrono::milliseconds millis) const;

 private:
  boost::intrusive::list<RedisLease, boost::intrusive::constant_time_size<false>> held_;
};

/// A word that nobody guesses. Empty: there are no random numbers.
[[nodiscard]] std::string random_word();

}  // namespace tollgate::policies
