#include "policies/ledger/ledger.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "gateway/core/background_thread.hpp"
#include "policies/ledger/books.hpp"
#include "policies/ledger/journal.hpp"
#include "policies/ledger/replay.hpp"

namespace tollgate::ledger {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t batch_rows = 500;
constexpr std::size_t batch_bytes = 2U << 20U;
constexpr auto batch_wait = 200ms;
constexpr auto backoff_max = 5s;
/// A waiting writer is woken early beyond this.
constexpr std::uint64_t wake_rows = 2000;
/// Rows of a worker that is always busy cost about a tenth of what it does: less would pile up.
constexpr int niceness = 5;

class RealLedger final : public Ledger {
 public:
  RealLedger(std::unique_ptr<Journal> journal, std::unique_ptr<Books> books,
             std::chrono::milliseconds retention, Say say)
      : journal_(std::move(journal)),
        books_(std::move(books)),
        retention_(retention),
        say_(std::move(say)) {}
  ~RealLedger() override { stop(0ms); }

  /// What a crash left: rows that the database has not, and calls that never ended.
  Result<void> recover() {
    Found found = found_in(*journal_);
    std::vector<Booking> rows;
    for (const std::string& bytes : found.rows) {
      if (auto booking = read_booking(bytes)) rows.push_back(std::move(*booking));
    }
    unknown_ =
        static_cast<std::uint64_t>(std::ranges::count(rows, CallStatus::unknown, &Booking::status));
    for (std::span<const Booking> left = rows; !left.empty();) {
      const auto batch = left.first(std::min(left.size(), batch_rows));
      auto written = books_->write(batch);
      if (!written) return written;
      left = left.subspan(batch.size());
    }
    if (unknown_ > 0) {
      say_("warn", std::to_string(unknown_) +
                       " calls had no end when the process died; they are booked as unknown, at "
                       "what was reserved");
    }
    journal_->clear();
    unsettled_ = std::move(found.unsettled);
    return {};
  }

  std::vector<Unsettled> take_unsettled() override {
    std::vector<Unsettled> calls;
    for (const Outcome& call : std::exchange(unsettled_, {})) {
      if (begin(call)) journal_->keep_intent(call.request_id, true);
      calls.push_back({.request_id = call.request_id,
                       .tenant = call.tenant,
                       .key_id = call.key_id,
                       .model = call.model,
                       .charged = call.charged,
                       .ended = call.status != CallStatus::unknown});
    }
    return calls;
  }

  Result<void> hours(SystemTime since, const std::function<void(const HourSum&)>& each) override {
    return books_->hours(since, each);
  }

  void ask_hours(std::function<void(Result<Hours>)> done) override {
    const std::lock_guard lock(mutex_);
    asked_.push_back(std::move(done));
  }

  std::string id() const override { return journal_->ledger_id(); }

  void start() override {
    thread_ = std::thread([this] { run(); });
  }

  void stop(std::chrono::milliseconds patience) override {
    if (!thread_.joinable()) return;
    {
      const std::lock_guard lock(mutex_);
      deadline_ = std::chrono::steady_clock::now() + patience;
      stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }

  Result<void> begin(const Outcome& outcome) override {
    std::string& buffer = scratch();
    write_intent(outcome, buffer);
    if (journal_->append_intent(outcome.request_id, buffer)) return {};
    tell_full();
    return fail(ErrorKind::store_unavailable, "The books cannot be kept right now. Please retry.");
  }

  void ended(const Outcome& outcome) noexcept override {
    std::string& buffer = scratch();
    write_intent(outcome, buffer);
    if (!journal_->append_intent(outcome.request_id, buffer)) tell_full();
  }
  void keep(std::string_view request_id) noexcept override {
    journal_->keep_intent(request_id, false);
  }
  void settled(std::string_view request_id) noexcept override {
    journal_->release_intent(request_id);
  }

  void record(const Outcome& outcome) noexcept override {
    std::string& buffer = scratch();
    write_booking(outcome, buffer);
    if (!journal_->append_rows(outcome.request_id, buffer)) {
      ++dropped_;
      tell_full();
    } else if (++unseen_ == wake_rows) {
      wake_.notify_one();
    }
  }

  [[nodiscard]] Stats stats() const override {
    const Journal::Fill fill = journal_->fill();
    return {.rows_written = written_,
            .rows_waiting = fill.rows,
            .bytes_waiting = fill.bytes,
            .intents_open = fill.intents,
            .dropped = dropped_,
            .write_failures = failures_,
            .recovered_unknown = unknown_};
  }

 private:
  static std::string& scratch() {
    thread_local std::string buffer;
    buffer.clear();
    return buffer;
  }

  void tell_full() {
    if (!full_.exchange(true)) say_("error", "the journal is full or cannot be written");
  }

  void run() {
    step_back(niceness);
    auto wait = std::chrono::milliseconds(batch_wait);
    while (!pause(wait)) {
      const bool drained = drain();
      wait = drained ? batch_wait : std::min<std::chrono::milliseconds>(wait * 2, backoff_max);
      answer(drained);
      forget_old();
    }
    while (std::chrono::steady_clock::now() < deadline_ && journal_->fill().rows > 0) {
      if (!drain()) std::this_thread::sleep_for(50ms);
    }
    answer(false);
    const Journal::Fill left = journal_->fill();
    if (left.rows == 0 && left.intents == 0) journal_->clear();
    if (left.rows > 0)
      say_("warn", std::to_string(left.rows) + " rows stay in the journal for the next start");
  }

  /// True: stop.
  bool pause(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, time, [this] { return stopping_ || (!away_ && unseen_ >= wake_rows); });
    unseen_ = 0;
    return stopping_;
  }

  /// Writes all that waits. False: the database is away.
  bool drain() {
    for (;;) {
      const auto records = journal_->next_rows(batch_rows, batch_bytes);
      if (records.empty()) {
        journal_->drained();  // intents that have ended may free their chunk
        return true;
      }
      batch_.clear();
      for (const std::string_view bytes : records) {
        if (auto booking = read_booking(bytes)) batch_.push_back(std::move(*booking));
      }
      // What failed may have been done all the same.
      auto written = away_ ? books_->write(batch_) : books_->append(batch_);
      if (!written) {
        journal_->rewind();
        ++failures_;
        if (!std::exchange(away_, true)) {
          say_("error", "ledger: " + written.error().detail + "; rows wait in the journal");
        }
        return false;
      }
      if (std::exchange(away_, false)) say_("info", "ledger: the database is back");
      journal_->drained();
      full_ = false;
      written_ += batch_.size();
    }
  }

  /// Those who asked for the sums.
  void answer(bool drained) {
    std::vector<std::function<void(Result<Hours>)>> asked;
    {
      const std::lock_guard lock(mutex_);
      asked.swap(asked_);
    }
    for (const auto& done : asked) {
      Hours sums;
      Result<void> read = fail(ErrorKind::store_unavailable, "The ledger's database is away.");
      if (drained) read = books_->hours({}, [&sums](const HourSum& sum) { sums.push_back(sum); });
      done(read ? Result<Hours>(std::move(sums)) : std::unexpected(read.error()));
    }
  }

  void forget_old() {
    const auto now = std::chrono::steady_clock::now();
    if (now < forget_at_) return;
    auto more = books_->forget(std::chrono::system_clock::now() - retention_);
    if (!more) say_("warn", "ledger: old rows not dropped: " + more.error().detail);
    if (!more || !*more) forget_at_ = now + 10min;
  }

  std::unique_ptr<Journal> journal_;
  std::unique_ptr<Books> books_;
  std::chrono::milliseconds retention_;
  Say say_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::thread thread_;
  std::vector<std::function<void(Result<Hours>)>> asked_;
  bool stopping_ = false;
  SteadyTime deadline_{};
  SteadyTime forget_at_ = std::chrono::steady_clock::now() + 1min;
  std::vector<Booking> batch_;  // this and the next: writer only
  bool away_ = false;
  std::atomic<bool> full_{false};
  std::atomic<std::uint64_t> unseen_{0}, written_{0}, dropped_{0}, failures_{0};
  std::uint64_t unknown_ = 0;
  std::vector<Outcome> unsettled_;
};

/// One journal belongs to one database (M26).
Result<void> marry(Journal& journal, Books& books, const Places& places) {
  auto id = books.id();
  if (!id) return std::unexpected(id.error());
  const std::string own = journal.ledger_id();
  if (own == *id) return {};
  if (!own.empty() && !unwritten(journal).empty()) {
    return fail(
        ErrorKind::internal,
        "journal " + places.journal + ": it holds rows of another ledger than " + places.database);
  }
  journal.set_ledger_id(*id);
  return {};
}

}  // namespace

Result<std::unique_ptr<Ledger>> Ledger::open(const config::LedgerConfig& config, Say say) {
  const Places places = places_of(config);
  auto journal = Journal::open({.path = places.journal,
                                .bytes_max = config.journal.max_bytes.count,
                                .fsync = config.journal.fsync,
                                .patience = 2s});
  if (!journal) return std::unexpected(journal.error());
  auto books = open_books(config, false);
  if (!books) return std::unexpected(books.error());
  auto married = marry(**journal, **books, places);
  if (!married) return std::unexpected(married.error());
  auto ledger = std::make_unique<RealLedger>(std::move(*journal), std::move(*books),
                                             config.retention, std::move(say));
  auto recovered = ledger->recover();
  if (!recovered) return std::unexpected(recovered.error());
  return ledger;
}

}  // namespace tollgate::ledger
