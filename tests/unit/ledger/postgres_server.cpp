#include "postgres_server.hpp"

#include <csignal>
#include <fcntl.h>
#include <libpq-fe.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tollgate::ledger {
namespace {

/// Where Debian keeps the server's programs; empty: nowhere.
std::string programs() {
  std::string newest;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator("/usr/lib/postgresql", none)) {
    const std::string bin = entry.path() / "bin";
    if (std::filesystem::exists(bin + "/initdb")) newest = std::max(newest, bin);
  }
  return newest;
}

/// It will not run as root.
constexpr uid_t nobody = 65534;

pid_t spawn(const std::vector<std::string>& command, int log) {
  std::vector<char*> args;
  for (const std::string& word : command)
    args.push_back(const_cast<char*>(word.c_str()));
  args.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  if (::getuid() == 0 && (::setgid(nobody) != 0 || ::setuid(nobody) != 0)) ::_exit(126);
  ::prctl(PR_SET_PDEATHSIG, SIGQUIT);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  ::execv(args[0], args.data());
  ::_exit(127);
}

}  // namespace

bool PostgresServer::there() { return !programs().empty(); }

PostgresServer::PostgresServer() {
  if (::getuid() == 0) REQUIRE(::chown(folder_.path.c_str(), nobody, nobody) == 0);
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t pid = spawn({programs() + "/initdb", "-D", folder_.file("data"), "-U", "postgres",
                           "-A", "trust", "-N", "--no-instructions", "-E", "UTF8", "--locale=C"},
                          ends[1]);
  ::close(ends[1]);
  std::string said;
  char piece[512];
  for (ssize_t got = 0; (got = ::read(ends[0], piece, sizeof piece)) > 0;)
    said.append(piece, static_cast<std::size_t>(got));
  ::close(ends[0]);
  int status = 0;
  ::waitpid(pid, &status, 0);
  REQUIRE_MESSAGE(status == 0, said);
  start();
}

PostgresServer::~PostgresServer() { kill(); }

void PostgresServer::start() {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  pid_ = spawn({programs() + "/postgres", "-D", folder_.file("data"), "-k", folder_.path.string(),
                "-F", "-c", "listen_addresses=", "-c", "log_min_messages=log"},
               ends[1]);
  ::close(ends[1]);
  log_ = ends[0];
  std::string said;
  char piece[512];
  while (said.find("ready to accept connections") == std::string::npos) {
    const ssize_t got = ::read(log_, piece, sizeof piece);
    REQUIRE_MESSAGE(got > 0, said);
    said.append(piece, static_cast<std::size_t>(got));
  }
}

void PostgresServer::kill() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGQUIT);
  ::close(log_);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

std::string PostgresServer::url(const std::string& database) const {
  return "postgresql://postgres@/" + database + "?host=" + folder_.path.string();
}

std::string PostgresServer::new_database() {
  const std::string name = "ledger" + std::to_string(++made_);
  run(url("postgres"), "CREATE DATABASE " + name);
  return url(name);
}

std::string PostgresServer::run(const std::string& url, const std::string& sql) {
  PGconn* const connection = PQconnectdb(url.c_str());
  PQclear(PQexec(connection, "SET search_path TO tollgate"));
  PGresult* const result = PQexec(connection, sql.c_str());
  const auto status = PQresultStatus(result);
  CHECK_MESSAGE((status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK),
                PQerrorMessage(connection));
  std::string first = PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "";
  PQclear(result);
  PQfinish(connection);
  return first;
}

PostgresServer& postgres() {
  static PostgresServer server;
  return server;
}

Place::Place() {
  SUBCASE("SQLite") {}
  SUBCASE("PostgreSQL") {
    if (PostgresServer::there()) {
      url_ = postgres().new_database();
    } else {
      MESSAGE("SKIPPED: no PostgreSQL server on this machine");
    }
  }
}

std::unique_ptr<Books> Place::books(bool read_only) const {
  auto books =
      url_.empty() ? open_sqlite(folder_.file("t.db"), read_only) : open_postgres(url_, read_only);
  REQUIRE(books);
  return std::move(*books);
}

void Place::doctor_charges() const {
  run(url_.empty() ? "UPDATE call_packs SET packed = json_set(packed, '$[0][28]', (packed ->> "
                     "'$[0][28]') - 1)"
                   : "UPDATE calls SET charged_nano_usd = charged_nano_usd - 1");
}

void Place::run(const std::string& sql) const {
  if (url_.empty()) return run_sql(folder_.file("t.db"), sql);
  PostgresServer::run(url_, sql);
}

}  // namespace tollgate::ledger
