#include "policies/ledger/postgres.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <poll.h>

#include "gateway/wire/json_shape.hpp"
#include "gateway/wire/json_writer.hpp"

namespace tollgate::ledger {
namespace {

using Clock = std::chrono::steady_clock;

std::string first_line(std::string_view text) {
  text = text.substr(0, text.find('\n'));
  return std::string(text.empty() ? "PostgreSQL gave no reason" : text);
}

}  // namespace

/// What PostgreSQL refuses in a text must not hold up the books: NUL goes, what is no UTF-8 is
/// replaced.
PgValues& PgValues::text(std::string_view value) {
  std::string clean(value);
  std::erase(clean, '\0');
  if (std::ranges::any_of(clean, [](char c) { return static_cast<unsigned char>(c) >= 128; })) {
    std::string json;
    wire::JsonWriter(json).value(std::string_view(clean));
    clean = wire::json_string(json).value_or("");
  }
  return add(std::move(clean));
}

std::vector<const char*> PgValues::pointers() const {
  std::vector<const char*> out;
  out.reserve(values_.size());
  for (const auto& value : values_)
    out.push_back(value ? value->c_str() : nullptr);
  return out;
}

std::int64_t PgRow::number_at(int column) const {
  return std::strtoll(PQgetvalue(result_, row_, column), nullptr, 10);
}

std::unexpected<Error> PgLink::failed(std::string detail) {
  Error error = make_error(ErrorKind::internal, "The ledger's database failed.");
  error.detail = std::move(detail);
  return std::unexpected(std::move(error));
}

Result<void> PgLink::connect() {
  if (connection_ && PQstatus(connection_.get()) == CONNECTION_OK) return {};
  // What stands behind the URL wins over what stands in it.
  const std::array<const char*, 7> names{"dbname",
                                         "connect_timeout",
                                         "tcp_user_timeout",
                                         "client_encoding",
                                         "application_name",
                                         "keepalives_idle",
                                         nullptr};
  const std::array<const char*, 7> values{url_.c_str(), "5",  "10000", "UTF8",
                                          "tollgate",   "30", nullptr};
  connection_.reset(PQconnectdbParams(names.data(), values.data(), 1));
  if (PQstatus(connection_.get()) != CONNECTION_OK) {
    return failed(first_line(PQerrorMessage(connection_.get())));
  }
  PQsetnonblocking(connection_.get(), 1);
  // Notices such as "already exists, skipping" are no news to anybody.
  PQsetNoticeProcessor(connection_.get(), [](void*, const char*) {}, nullptr);
  const std::string limit = std::to_string(patience_.count());
  auto set =
      ask("SET search_path TO tollgate; SET statement_timeout = " + limit +
          "; SET lock_timeout = " + limit + "; SET idle_in_transaction_session_timeout = 60000");
  if (!set) return std::unexpected(set.error());
  return {};
}

bool PgLink::wait_for(bool writing, Clock::time_point deadline) const {
  pollfd one{.fd = PQsocket(connection_.get()),
             .events = static_cast<short>(writing ? POLLIN | POLLOUT : POLLIN),
             .revents = 0};
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) return false;
    const int ready = ::poll(&one, 1, static_cast<int>(left.count()));
    if (ready >= 0 || errno != EINTR) return ready > 0;
  }
}

/// The last result of what was asked; a failed one of several wins.
Result<PGresult*> PgLink::collect(Clock::time_point deadline) {
  PGconn* const connection = connection_.get();
  for (int flushed = 1; flushed != 0;) {
    flushed = PQflush(connection);
    if (flushed < 0) return failed(first_line(PQerrorMessage(connection)));
    if (flushed == 0) break;
    if (!wait_for(true, deadline)) return failed("no answer in time");
    // The server may wait for us to read before it reads on.
    if (PQconsumeInput(connection) == 0) return failed(first_line(PQerrorMessage(connection)));
  }
  PGresult* last = nullptr;
  while (true) {
    while (PQisBusy(connection) != 0) {
      if (!wait_for(false, deadline) || PQconsumeInput(connection) == 0) {
        PQclear(last);
        const std::string_view reason = PQerrorMessage(connection);
        return failed(reason.empty() ? "no answer in time" : first_line(reason));
      }
    }
    PGresult* const next = PQgetResult(connection);
    if (next == nullptr) return last;
    const auto status = PQresultStatus(last);
    const bool bad = last != nullptr && status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK;
    PQclear(bad ? next : last);
    if (!bad) last = next;
  }
}

Result<PgResult> PgLink::ask(const std::string& sql, const PgValues& values) {
  PGconn* const connection = connection_.get();
  const auto pointers = values.pointers();
  const int sent = pointers.empty() ? PQsendQuery(connection, sql.c_str())
                                    : PQsendQueryParams(connection, sql.c_str(),
                                                        static_cast<int>(pointers.size()), nullptr,
                                                        pointers.data(), nullptr, nullptr, 0);
  // A little more than the server's own limit: its words say more.
  auto result = sent == 1 ? collect(Clock::now() + patience_ + std::chrono::seconds(1))
                          : failed(first_line(PQerrorMessage(connection)));
  if (!result) {
    connection_.reset();  // whatever it still does there, it does alone
    return std::unexpected(result.error());
  }
  PgResult held(*result);
  const auto status = PQresultStatus(*result);
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return held;
  return failed(first_line(PQresultErrorMessage(*result)));
}

Result<void> PgLink::transaction(const std::string& begin,
                                 const std::function<Result<void>()>& work) {
  auto connected = connect();
  if (!connected) return connected;
  auto begun = ask(begin);
  if (!begun) return std::unexpected(begun.error());
  auto done = work();
  if (done) {
    auto committed = ask("COMMIT");
    if (!committed) done = std::unexpected(committed.error());
  }
  if (!done && connection_) (void)ask("ROLLBACK");
  return done;
}

Result<PgPlace> pg_place(const std::string& url) {
  char* reason = nullptr;
  PQconninfoOption* const options = PQconninfoParse(url.c_str(), &reason);
  if (options == nullptr) {
    // Its words may hold the URL.
    PQfreemem(reason);
    return fail(ErrorKind::internal, "ledger.postgres.url is no PostgreSQL URL");
  }
  std::string host = "localhost", port = "5432", database = "tollgate";
  for (const PQconninfoOption* option = options; option->keyword != nullptr; ++option) {
    const std::string_view name = option->keyword;
    if (option->val == nullptr) continue;
    if (name == "host") host = option->val;
    if (name == "port") port = option->val;
    if (name == "dbname") database = option->val;
  }
  PQconninfoFree(options);
  return PgPlace{"postgres://" + host + ":" + port + "/" + database, database};
}

}  // namespace tollgate::ledger
