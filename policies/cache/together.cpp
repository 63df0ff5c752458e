#include "policies/cache/together.hpp"

#include <exception>
#include <memory>
#include <utility>

namespace tollgate::cache {
namespace {

using policies::RedisReply;

/// What the asking coroutines and the one that waits for them share.
struct All {
  std::vector<RedisCommand> commands;
  std::vector<Result<RedisReply>> replies;
  std::size_t left = 0;
  std::exception_ptr thrown;  // by one of them: a bug
  Suspended waiter;
};

class UntilAnswered {
 public:
  explicit UntilAnswered(All& all) : all_(all) {}
  ~UntilAnswered() {
    if (waiting_) all_.waiter.forget();  // its frame is being destroyed
  }
  UntilAnswered(const UntilAnswered&) = delete;
  UntilAnswered& operator=(const UntilAnswered&) = delete;

  [[nodiscard]] bool await_ready() const noexcept { return all_.left == 0; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> waiting) {
    all_.waiter = Suspended(waiting);
    waiting_ = true;
  }
  void await_resume() {
    waiting_ = false;
    if (all_.thrown) std::rethrow_exception(all_.thrown);
  }

 private:
  All& all_;
  bool waiting_ = false;
};

Awaitable<void> ask_one(policies::RedisPort& port, std::shared_ptr<All> all, std::size_t at) {
  const RedisCommand& command = all->commands[at];
  const std::vector<std::string_view> args(command.args.begin(), command.args.end());
  try {
    all->replies[at] = co_await port.call(command.args[command.key_at], args);
  } catch (...) {
    all->thrown = std::current_exception();
  }
  if (--all->left == 0 && all->waiter) std::exchange(all->waiter, {}).resume();
}

}  // namespace

Awaitable<std::vector<Result<RedisReply>>> ask_together(policies::RedisPort& port,
                                                        std::vector<RedisCommand> commands) {
  const auto all = std::make_shared<All>();
  all->commands = std::move(commands);
  all->left = all->commands.size();
  all->replies.resize(all->left, RedisReply{});
  for (std::size_t i = 0; i < all->commands.size(); ++i) {
    start(ask_one(port, all, i));
  }
  co_await UntilAnswered(*all);
  co_return std::move(all->replies);
}

}  // namespace tollgate::cache
