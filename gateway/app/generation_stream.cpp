// The client's side of a stream: its head, and pieces as they come.
#include "gateway/app/generation.hpp"

namespace tollgate::app {

void Generation::begin_stream() {
  begun_ = true;
  ++services_.shared.metrics.streams_active;
  if (lead_) keep_head(nullptr);
  writer_.begin(reply_head());
}

/// Most clients take a piece at once. False: send_pieces.
bool Generation::send_now() {
  const SteadyTime since = call_.look();
  if (run_.left || !writer_.write_now(pieces_)) return false;
  note_sent(since);
  return true;
}

void Generation::note_sent(SteadyTime since) {
  last_write_ = call_.look();
  call_.waited += last_write_ - since;
  call_.outcome.response_bytes += pieces_.size();
  pieces_.clear();
}

Awaitable<Result<void>> Generation::send_pieces() {
  if (run_.left) {
    pieces_.clear();
    last_write_ = call_.look();
    co_return Result<void>{};
  }
  const SteadyTime since = call_.look();
  auto sent = co_await writer_.write(pieces_);
  note_sent(since);
  if (!sent && sent.error().kind == ErrorKind::client_gone && run_.stays()) {
    run_.left = std::move(sent.error());
    call_.deserted = true;
    co_return Result<void>{};
  }
  co_return sent;
}

}  // namespace tollgate::app
