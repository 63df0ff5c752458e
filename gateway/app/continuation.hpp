// Continuation: what a streamed call knows of its reply so far, and the request with which another
// target goes on with it. Makes one text of what several providers send, and one count of their
// tokens. Owned by the call, on its worker; absent unless its model continues streams.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/app/seam.hpp"
#include "gateway/core/block.hpp"
#include "gateway/core/frame_memory.hpp"
#include "gateway/wire/dialect.hpp"
#include "routing/route_table.hpp"

namespace tollgate::app {

class Continuation : public PerCall {
 public:
  /// Whether the reply to that request can be gone on with at all: it is a stream of one text.
  [[nodiscard]] static bool suits(const wire::RequestView& view);

  /// `match`: of the model that the call runs under.
  explicit Continuation(routing::Match match) : match_(match) {}

  /// Makes of a provider's next batch what the client is to get of it.
  void rejoin(Batch& batch) {
    if (seam_) sew(batch);
  }
  /// Takes down what the client is about to get. Usage becomes that of all attempts together.
  void take(Batch& batch);

  /// The client has content: what fails from now on is not begun anew.
  [[nodiscard]] bool begun() const { return begun_; }
  /// Nothing has come that another provider could not go on with.
  [[nodiscard]] bool possible() const { return possible_; }
  /// The model has said that this was all.
  [[nodiscard]] bool finished() const { return finished_; }
  /// Another target was asked to go on.
  [[nodiscard]] bool continued() const { return view_.has_value(); }
  [[nodiscard]] const routing::Match& match() const { return match_; }

  /// Of all attempts; where one died, `exact` is false and it is an estimate.
  [[nodiscard]] Usage usage() const;
  [[nodiscard]] bool exact() const { return exact_ && usage_seen_; }
  /// How much of the client's limit is left, in tokens, counted so that it is not passed; nullopt:
  /// it gave none.
  [[nodiscard]] std::optional<std::uint64_t> left(const wire::RequestView& asked) const;

  /// The attempt has died. `prompt_tokens`: an estimate, for where it named no figures.
  void end_attempt(std::uint64_t prompt_tokens);
  /// The request that lets `target` go on. Valid until the next one is asked for.
  Result<wire::RequestView*> request_for(const wire::RequestView& asked,
                                         const routing::Target& target);
  /// The end of a reply that has reached its limit when its provider died.
  void end_at_limit(Batch& batch);

  /// True for a target that it is asked about for the first time.
  [[nodiscard]] bool first_time(const routing::Target& target);
  /// True for a target that has had its turn, the first time that it is asked about again.
  [[nodiscard]] bool once_more(const routing::Target& target);
  /// Keeps what the client is told when nobody goes on: what the last provider said.
  Error remember(Error why);

 private:
  void sew(Batch& batch);
  void sew(const StreamEvent& event, Batch& batch);
  void show(std::string text, Batch& batch);
  void push_notice(Batch& batch) const;
  void count(std::string_view text);
  [[nodiscard]] std::uint64_t tokens(std::uint64_t bytes_per_token) const;

  routing::Match match_;
  bool begun_ = false, possible_ = true, finished_ = false;
  std::string text_;                        // that the client has
  std::uint64_t pieces_ = 0, bytes_ = 0;    // of everything the model made
  std::uint64_t tokens_ended_ = 0;          // of the attempts that have ended, by estimate
  Usage usage_ended_, usage_;               // of those; of the one under way
  bool usage_seen_ = false, exact_ = true;  // of the one under way; of those

  std::string body_;
  std::optional<wire::RequestView> view_;  // of the continuation under way
  std::optional<Seam> seam_;
  std::string_view provider_;
  std::vector<std::string_view> went_on_;  // providers that did
  std::vector<std::pair<std::string, std::string>> tried_, repeated_;
  std::optional<Error> last_;
};

}  // namespace tollgate::app
