// What threads beside the workers have in common: writers of logs and books, whose work can wait
// for a moment, and that must not make a request wait which shares their core.
#pragma once
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

namespace tollgate {

/// The calling thread never takes the core from a worker by waking up, and gives it back early.
/// `niceness` (0 to 19) says how small a share stays for it on a machine that is busy all the time:
/// about a quarter at 5, a tenth at 10. Where the system refuses, all stays as it was.
inline void step_back(int niceness) {
  const sched_param none{};
  ::pthread_setschedparam(::pthread_self(), SCHED_BATCH, &none);
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), niceness);
}

}  // namespace tollgate
