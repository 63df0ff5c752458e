#include "policies/cache/together.hpp"

#include <algorithm>
#include <exception>
#include <memory>
#include <utility>

#include "gateway/core/signal.hpp"

namespace tollgate::cache {
namespace {

using policies::RedisReply;

/// What the asking coroutines and the one that waits for them share.
struct All {
  std::vector<RedisCommand> commands;
  std::vector<Result<RedisReply>> replies;
  std::size_t left = 0;
  std::exception_ptr thrown;  // by one of them: a bug
  Signal answered;            // all of them
};

Awaitable<void> ask_one(policies::RedisPort& port, std::shared_ptr<All> all, std::size_t at) {
  const RedisCommand& command = all->commands[at];
  const std::vector<std::string_view> args(command.args.begin(), command.args.end());
  try {
    all->replies[at] = co_await port.call(command.args[command.key_at], args);
  } catch (...) {
    all->thrown = std::current_exception();
  }
  if (--all->left == 0) all->answered.notify();
}

}  // namespace

Awaitable<std::vector<Result<RedisReply>>> ask_together(policies::RedisPort& port,
                                                        std::vector<RedisCommand> commands) {
  const auto all = std::make_shared<All>();
  all->commands = std::move(commands);
  all->replies.reserve(all->commands.size());
  while (all->replies.size() < all->commands.size()) {
    const std::size_t begin = all->replies.size();
    const std::size_t end = std::min(begin + together_most, all->commands.size());
    all->left = end - begin;
    all->replies.resize(end, RedisReply{});
    for (std::size_t i = begin; i < end; ++i)
      start(ask_one(port, all, i));
    if (all->left > 0) co_await all->answered.wait();
    if (all->thrown) std::rethrow_exception(all->thrown);
    const auto failed =
        std::ranges::find_if(all->replies.begin() + static_cast<std::ptrdiff_t>(begin),
                             all->replies.end(), [](const auto& r) { return !r; });
    if (failed == all->replies.end()) continue;
    const Error why = failed->error();
    all->replies.resize(all->commands.size(), std::unexpected(why));
  }
  co_return std::move(all->replies);
}

}  // namespace tollgate::cache
