#include "gateway/app/access_log.hpp"

#include "gateway/app/access_line.hpp"

namespace tollgate::app {
namespace {

struct Nowhere final : OutcomeSink {
  void record(const Outcome&) noexcept override {}
};

/// One worker's lines, on their way into its ring.
class Lane final : public OutcomeSink {
 public:
  explicit Lane(RingWriter& writer) : writer_(writer), ring_(writer.add_ring()) {}
  void record(const Outcome& outcome) noexcept override {
    writer_.push(ring_, line_.render(outcome));
  }

 private:
  RingWriter& writer_;
  ByteRing& ring_;
  AccessLine line_;
};

}  // namespace

AccessLog::AccessLog(std::string where) : off_(where == "off"), writer_(std::move(where)) {}
AccessLog::~AccessLog() = default;

Result<void> AccessLog::start() { return off_ ? Result<void>{} : writer_.start(); }

OutcomeSink& AccessLog::add_worker() {
  if (off_) return *workers_.emplace_back(std::make_unique<Nowhere>());
  return *workers_.emplace_back(std::make_unique<Lane>(writer_));
}

void AccessLog::reopen() { writer_.reopen(); }
void AccessLog::stop() { writer_.stop(); }

}  // namespace tollgate::app
