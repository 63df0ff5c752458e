// How the Redis store asks a script, and fills the scopes that Redis does not know.
#include "policies/store/redis.hpp"
#include "policies/store/redis_call.hpp"

namespace tollgate::policies {
namespace {

Error away(std::string why, bool sent) {
  Error error = make_error(ErrorKind::store_unavailable, "limits cannot be checked right now");
  error.retry = sent ? Retry::never : Retry::same_or_other;
  error.detail = std::move(why);
  return error;
}

}  // namespace

/// Error: no answer, or one that says that the script could not do its work.
Awaitable<Result<RedisReply>> RedisStore::send(const RedisScript& script, RedisAsk& ask) {
  if (port_ == nullptr) co_return std::unexpected(away("no worker asks for it", false));
  const RedisTerms& terms = shared_.terms();
  const std::string time =
      terms.own_clock ? std::to_string(micros_of(shared_.clock().system())) : std::string{};
  constexpr std::size_t usual_args = 3;
  std::vector<std::string_view> parts;
  parts.reserve(ask.keys.size() + usual_args + ask.further.size());
  parts.assign(ask.keys.begin(), ask.keys.end());
  for (const std::string_view arg :
       {std::string_view(time), ask.numbers.text(), std::string_view(terms.ledger)})
    parts.push_back(arg);
  parts.insert(parts.end(), ask.further.begin(), ask.further.end());
  const std::span<const std::string_view> all(parts);
  auto reply = co_await port_->script(script, all.front(), all.first(ask.keys.size()),
                                      all.subspan(ask.keys.size()));
  if (reply && reply->is_error()) reply = std::unexpected(away(reply->text, true));
  reply ? shared_.worked() : shared_.failed(reply.error());
  co_return reply;
}

Awaitable<Result<RedisAnswer>> RedisStore::run(const RedisScript& script, RedisAsk& ask) {
  auto reply = co_await send(script, ask);
  if (!reply) co_return std::unexpected(reply.error());
  co_return RedisAnswer(std::move(reply->text));
}

Awaitable<Result<std::vector<std::string>>> RedisStore::run_list(const RedisScript& script,
                                                                 RedisAsk& ask) {
  auto reply = co_await send(script, ask);
  if (!reply) co_return std::unexpected(reply.error());
  std::vector<std::string> texts;
  for (RedisReply& item : reply->items)
    texts.push_back(std::move(item.text));
  co_return texts;
}

/// Fills what the script finds unknown, and asks it again.
Awaitable<Result<RedisAnswer>> RedisStore::run_filled(const RedisScript& script, RedisAsk& ask) {
  for (int turn = 0; turn < 3; ++turn) {
    const std::uint64_t asked = shared_.moment();
    auto answer = co_await run(script, ask);
    if (!answer) co_return answer;
    if (answer->first() != -1) {
      for (RedisAccount* account : ask.accounts)
        shared_.seen(*account);
      co_return answer;
    }
    for (answer->take(); !answer->at_end();) {
      const auto place = static_cast<std::size_t>(answer->take()) - 1;
      const Scope* scope = ask.scopes.empty() ? nullptr : ask.scopes[place];
      auto filled = co_await fill(*ask.accounts[place], scope, asked);
      if (!filled) co_return std::unexpected(filled.error());
    }
  }
  co_return std::unexpected(away("balances vanish as they are filled", true));
}

Awaitable<Result<void>> RedisStore::fill(RedisAccount& account, const Scope* scope,
                                         std::uint64_t asked) {
  if (shared_.is_lost(account, asked)) {
    shared_.lost();
    co_return std::unexpected(away("balances are lost and are read from the ledger", false));
  }
  RedisAsk ask;
  ask.keys = {account.key, shared_.keys().marker(account.tag)};
  ask.keys.insert(ask.keys.end(), account.former.begin(), account.former.end());
  ask.numbers.add(micros_of(shared_.books_at()));
  ask.numbers.add(micros_of(shared_.books_at() - shared_.terms().rows_travel));
  shared_.add_spent(account, ask.numbers);
  if (scope != nullptr) {
    ask.numbers.add_budgets(*scope);
  } else {
    ask.numbers.add(0);
  }
  auto answer = co_await run(shared_.scripts().fill, ask);
  if (!answer) co_return std::unexpected(answer.error());
  if (answer->take() == 2) {
    shared_.lost();
    co_return std::unexpected(away("balances are lost and are read from the ledger", false));
  }
  shared_.seen(account);
  co_return Result<void>{};
}

}  // namespace tollgate::policies
