// BookGate: leave to send one call's attempts, and the book of them in its Outcome. Between the
// attempt loop and the provider stand the call's purse and the journal. One a call, on its worker.
#pragma once
#include "gateway/core/attempt.hpp"
#include "policies/spending.hpp"

namespace tollgate::app {

class BookGate final : public AttemptGate, private AttemptBook {
 public:
  explicit BookGate(policies::Spending& spending) : spending_(spending) {}

  void prepare(Call&, const AttemptTarget& target) override { spending_.prepare(target); }
  Awaitable<Result<Attempt>> begin(Call& call, const AttemptTarget& target) override;

 private:
  void end(Call& call, std::size_t index, const AttemptEnd& how) noexcept override;

  policies::Spending& spending_;
};

}  // namespace tollgate::app
