// bench_unbooked: the gateway with books in which nothing is ever written: what the ledger costs is
// the difference. It is the gateway's own main and libraries; the linker finds this Ledger::open
// first, so that no shipped program can be told to keep no books.
#include "policies/ledger/ledger.hpp"

namespace tollgate::ledger {
namespace {

class NoLedger final : public Ledger {
 public:
  Result<void> hours(SystemTime, const std::function<void(const HourSum&)>&) override { return {}; }
  void ask_hours(std::function<void(Result<Hours>)> done) override { done(Hours{}); }
  [[nodiscard]] std::string id() const override { return "unbooked"; }
  void start() override {}
  void stop(std::chrono::milliseconds) override {}
  Result<void> begin(const Outcome&) override { return {}; }
  void ended(const Outcome&) noexcept override {}
  void keep(std::string_view) noexcept override {}
  void settled(std::string_view) noexcept override {}
  [[nodiscard]] std::vector<Unsettled> take_unsettled() override { return {}; }
  void record(const Outcome&) noexcept override {}
  [[nodiscard]] Stats stats() const override { return {}; }
};

}  // namespace

Result<std::unique_ptr<Ledger>> Ledger::open(const config::LedgerConfig&, Say) {
  return std::make_unique<NoLedger>();
}

}  // namespace tollgate::ledger
