// GatewayFront: the application's side of the door. Decides on the head alone who asks for what, in
// the contract's order (404, 405, preflight, 401, 503), then hands the request on. One object a
// worker.
#pragma once
#include <memory>

#include "gateway/app/run.hpp"
#include "policies/known_keys.hpp"

namespace tollgate::app {

class GatewayFront final : public Front {
 public:
  explicit GatewayFront(Services& services) : services_(services) {}

  std::shared_ptr<ServedRequest> open(const RequestHead& head, const Peer& peer) override;
  Awaitable<void> serve(std::shared_ptr<ServedRequest> request, RequestBody& body,
                        ReplyWriter& writer) override;
  void render_early(const Error& error, ReplyHead& head, Pieces& body) override;

 private:
  void look(Run& run, const RequestHead& head);
  Result<void> route(Run& run, const RequestHead& head);
  Result<void> authenticate(Run& run, const RequestHead& head);
  Result<void> admit(Run& run);
  Result<void> note_idempotency(Run& run, const RequestHead& head);
  void note_client(Run& run, const RequestHead& head, const Peer& peer);
  Awaitable<void> generate(std::shared_ptr<Run> run, RequestBody& body, ReplyWriter& writer);
  Awaitable<void> answer_preflight(std::shared_ptr<Run> run, ReplyWriter& writer);
  Awaitable<void> answer_refusal(std::shared_ptr<Run> run, ReplyWriter& writer);
  Awaitable<void> answer_models(std::shared_ptr<Run> served, ReplyWriter& writer);
  Awaitable<void> answer_usage(std::shared_ptr<Run> run, ReplyWriter& writer);
  Awaitable<void> refuse(Run& run, const Error& error, ReplyWriter& writer);

  const policies::Key* key_of(const Run& run, std::string_view secret);

  Services& services_;
  policies::KnownKeys known_;
};

}  // namespace tollgate::app
