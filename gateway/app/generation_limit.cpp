// The part of a call that meets a provider which does not stop at the output limit that it was
// sent: more is held as long as the budgets let it, then the stream ends as if the limit had been
// obeyed.
#include "gateway/app/generation.hpp"

namespace tollgate::app {

bool Generation::passed_limit() const {
  return view_->stream && forwarder_->text_bytes() > spending_.text_most();
}

/// Ends the reply with finish `length`, and the attempt with it. What was begun upstream is charged
/// as of a reply that was cut (M11).
Result<void> Generation::cut_at_limit() {
  Batch last;
  last.begin_frame({});
  for (std::uint32_t choice = 0; choice < view_->n; ++choice)
    last.push(Finished{.choice = choice, .reason = FinishReason::length});
  encoder().encode(last, pieces_);
  encoder().finish(pieces_);
  call_.outcome.finish = to_string(FinishReason::length);
  forwarder_->close();
  return {};
}

}  // namespace tollgate::app
