#include "server.hpp"

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <poll.h>
#include <sstream>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/net/run_work.hpp"

namespace tollgate::net::test {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

/// Begins a program whose output goes to `log`.
int spawn_program(const std::vector<std::string>& command, int log) {
  std::vector<char*> args;
  for (const std::string& word : command)
    args.push_back(const_cast<char*>(word.c_str()));
  args.push_back(nullptr);
  const int pid = ::fork();
  if (pid != 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::dup2(log, STDOUT_FILENO);
  ::execvp(args[0], args.data());
  ::_exit(127);
}

}  // namespace

std::uint16_t free_port() {
  asio::io_context io;
  tcp::acceptor acceptor(io, {asio::ip::address_v4::loopback(), 0});
  return acceptor.local_endpoint().port();
}

RedisServer::RedisServer(std::vector<std::string> options)
    : port_(free_port()), options_(std::move(options)) {
  make_folder();
  start();
}

RedisServer::RedisServer(const std::string& master, std::uint16_t master_port)
    : port_(free_port()) {
  make_folder();
  sentinel_file_ = folder_ / "sentinel.conf";
  const std::string name = " " + master + " ";
  std::ofstream(sentinel_file_) << "port " << port_ << "\nbind 127.0.0.1\ndir " << folder_.string()
                                << "\nsentinel monitor" << name << "127.0.0.1 " << master_port
                                << " 1\nsentinel down-after-milliseconds" << name
                                << "1000\nsentinel failover-timeout" << name << "5000\n";
  start();
}

void RedisServer::make_folder() {
  std::string path = (std::filesystem::temp_directory_path() / "redis-XXXXXX").string();
  REQUIRE(::mkdtemp(path.data()) != nullptr);
  folder_ = path;
}

RedisServer::~RedisServer() {
  kill();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::vector<std::string> RedisServer::command() const {
  if (!sentinel_file_.empty()) return {"redis-server", sentinel_file_, "--sentinel"};
  const bool tls = std::ranges::find(options_, "--tls-cert-file") != options_.end();
  std::vector<std::string> words{
      "redis-server",       "--bind", "127.0.0.1", "--dir",
      folder_.string(),     "--save", "",          tls ? "--tls-port" : "--port",
      std::to_string(port_)};
  if (tls) words.insert(words.end(), {"--port", "0"});
  words.insert(words.end(), options_.begin(), options_.end());
  return words;
}

void RedisServer::start() {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  pid_ = spawn_program(command(), ends[1]);
  ::close(ends[1]);
  log_ = ends[0];
  unread_.clear();
  await_line(sentinel_file_.empty() ? "Ready to accept connections" : "+monitor master");
}

void RedisServer::kill() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  ::close(log_);
  pid_ = log_ = -1;
}

void RedisServer::freeze() { ::kill(pid_, SIGSTOP); }
void RedisServer::thaw() { ::kill(pid_, SIGCONT); }

void RedisServer::await_line(std::string_view text) {
  for (;;) {
    const std::size_t found = unread_.find(text);
    const std::size_t end =
        found == std::string::npos ? std::string::npos : unread_.find('\n', found);
    if (end != std::string::npos) {
      unread_.erase(0, end + 1);
      return;
    }
    pollfd readable{log_, POLLIN, 0};
    REQUIRE_MESSAGE(::poll(&readable, 1, 30'000) == 1, "no line with ", text, ": ", unread_);
    char piece[4096];
    const ssize_t bytes = ::read(log_, piece, sizeof piece);
    REQUIRE_MESSAGE(bytes > 0, "redis-server ended: ", unread_);
    unread_.append(piece, static_cast<std::size_t>(bytes));
  }
}

void Worker::run(Awaitable<void> work) { run_work(io, std::move(work), 30s); }

Asker::Asker(RedisSettings settings) : client(redis_client(worker.parts(), settings)) {}

Asker::~Asker() {
  client->stop();
  worker.io.restart();
  worker.io.poll();
}

Awaitable<Result<RedisReply>> Asker::ask(std::string words) {
  std::istringstream stream(words);
  std::vector<std::string> parts;
  for (std::string word; stream >> word;)
    parts.push_back(word);
  const std::vector<std::string_view> args(parts.begin(), parts.end());
  co_return co_await client->call(args.size() > 1 ? args[1] : "", args);
}

Result<RedisReply> Asker::now(std::string words) {
  Result<RedisReply> reply;
  worker.run([&]() -> Awaitable<void> { reply = co_await ask(words); }());
  return reply;
}

std::string Asker::text(std::string words) {
  const auto reply = now(std::move(words));
  return reply ? reply->text : reply.error().detail;
}

std::string Asker::text_at_last(std::string words) {
  Result<RedisReply> reply;
  worker.run([&]() -> Awaitable<void> {
    for (reply = co_await ask(words); !reply; reply = co_await ask(words)) {
      asio::steady_timer timer(worker.io, 5ms);
      co_await timer.async_wait(as_task);
    }
  }());
  return reply->text;
}

RedisSettings patient(const RedisEndpoint& endpoint) {
  RedisSettings settings;
  settings.endpoint = endpoint;
  settings.nodes = {endpoint};
  settings.connect = settings.command = 5s;
  return settings;
}

bool run_program(const std::vector<std::string>& command) {
  const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  const int pid = spawn_program(command, nowhere);
  ::close(nowhere);
  int status = -1;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace tollgate::net::test
