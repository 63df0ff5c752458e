// LedgerSink: hands the calls that have rows to the ledger. One a worker, on its thread.
#pragma once
#include "policies/ledger/ledger.hpp"

namespace tollgate::app {

class LedgerSink final : public OutcomeSink {
 public:
  explicit LedgerSink(ledger::Ledger* ledger) : ledger_(ledger) {}
  void record(const Outcome& outcome) noexcept override {
    if (ledger_ != nullptr && outcome.booked) ledger_->record(outcome);
  }

 private:
  ledger::Ledger* ledger_;
};

}  // namespace tollgate::app
