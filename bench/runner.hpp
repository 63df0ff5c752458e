// Runner: drives one measurement against a server on this machine's loopback address. Open loop:
// request i is due at start + i / rate whatever the server does, waits for a free connection if it
// must, and its latency counts from that due time (no coordinated omission). Closed loop: every
// connection sends again as soon as it has its reply; with a number of requests it ends when all
// have been answered, for those who count what one costs. Used by bench/load.cpp; one thread.
#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "bench/histogram.hpp"
#include "bench/link.hpp"
#include "bench/loop.hpp"
#include "bench/reply_reader.hpp"
#include "bench/stream_watch.hpp"

namespace tollgate::bench {

struct Plan {
  std::uint16_t port = 0;
  const Tls* tls = nullptr;  ///< connections under TLS; null: plain
  std::string request;       ///< the whole request, head and body, sent as it is
  bool stream = false;       ///< replies are SSE and are judged delta by delta
  std::uint64_t events = 0;  ///< deltas of a whole stream; 0: not known
  std::uint32_t connections = 64;
  double rate = 0;             ///< requests a second; 0: closed loop
  std::uint64_t requests = 0;  ///< closed loop: exactly so many, `window_ns` at most; 0: no bound
  std::int64_t ramp_ns = 0;    ///< closed loop: the connections begin spread over this time
  std::int64_t warmup_ns = 0;  ///< before the measured window
  bool hold = false;           ///< that opens sooner, when every connection's stream has begun
  std::int64_t window_ns = 0;  ///< the measured window
  std::int64_t drain_ns = 0;   ///< how long replies may take after it; streams are cut
  std::int64_t late_ns = 5'000'000;
};

struct Results {
  std::uint64_t requests = 0;      ///< whole replies that ended inside the window
  std::uint64_t answered = 0;      ///< whole replies, outside the window too
  std::uint64_t body_bytes = 0;    ///< of replies, inside the window
  std::uint64_t unfinished = 0;    ///< due inside the window, no reply by the end of the drain
  std::uint64_t open_streams = 0;  ///< under way when the window shut, with a delta
  std::uint64_t reconnects = 0;    ///< the server closed an idle connection, or said it would
  std::map<std::string, std::uint64_t> errors;
  std::int64_t window_ns = 0;  ///< as it was in truth
  Histogram latency;           ///< nanoseconds from the due time to the whole reply
  Histogram first_delta;       ///< nanoseconds from the due time to a stream's first delta
  StreamCounts streams;
};

class Runner {
 public:
  explicit Runner(const Plan& plan);
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  /// Runs to the end. Says `measuring` and `measured` on stdout, each on a line, when the window
  /// opens and shuts: who measures the server's CPU looks then.
  const Results& run();

 private:
  struct Connection {
    Link link;
    bool busy = false;
    bool waits_to_write = false;
    std::int64_t due_ns = 0;
    std::size_t sent = 0;
    ReplyReader reply;
    StreamWatch watch;
    std::string body;
  };
  using Index = std::uint32_t;

  void run_window();
  void run_counted();
  void turn(std::int64_t until_ns);
  void make_due(std::int64_t now);
  void hand_out();
  std::int64_t next_due_ns() const;
  bool open_connection(Index index);
  void begin(Index index, std::int64_t due);
  void begin_next(Index index, std::int64_t due);
  void send_rest(Index index);
  void receive(Index index);
  bool take(Index index, std::string_view bytes, std::int64_t now);
  void finish_reply(Index index, std::int64_t now);
  void release(Index index);
  void fail(Index index, std::string what);
  void drop(Index index);
  bool in_window(std::int64_t time) const { return time >= opens_ns_ && time < shuts_ns_; }
  bool closed_loop() const { return plan_.rate <= 0; }
  bool may_begin() const { return plan_.requests == 0 || begun_ < plan_.requests; }
  bool all_begun() const { return holds_ && streams_begun_ >= connections_.size(); }
  bool all_ended() const { return plan_.requests > 0 && ended_ >= plan_.requests; }

  const Plan& plan_;
  Results results_;
  Epoll epoll_;
  std::vector<Connection> connections_;
  std::vector<Index> idle_;
  std::deque<std::int64_t> waiting_;  // due times without a free connection
  std::vector<char> read_buffer_;
  std::uint64_t handed_out_ = 0;  // the next request (or, closed loop, connection) of the schedule
  std::uint64_t begun_ = 0;       // requests, in a closed loop
  std::uint64_t ended_ = 0;       // of these, well or badly
  std::uint64_t streams_begun_ = 0;
  std::uint64_t failures_ = 0;
  std::int64_t start_ns_ = 0;
  std::int64_t opens_ns_ = 0;
  std::int64_t shuts_ns_ = 0;
  bool sending_ = true;
  bool holds_ = false;  // waiting for all streams to begin
};

}  // namespace tollgate::bench
