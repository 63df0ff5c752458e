#include "gateway/net/redis/handshake.hpp"

namespace tollgate::net {
namespace {

/// The value of a `name:value` line of INFO.
std::string info_line(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find("\r\n"));
    if (line.size() > name.size() && line.starts_with(name) && line[name.size()] == ':') {
      return std::string(line.substr(name.size() + 1));
    }
    text.remove_prefix(std::min(text.size(), line.size() + 2));
  }
  return {};
}

}  // namespace

RedisHandshake::RedisHandshake(const RedisSettings& settings, Peer peer) {
  if (peer != Peer::sentinel) {
    if (!settings.user.empty()) {
      say(Step::auth, {"AUTH", settings.user, settings.password});
    } else if (!settings.password.empty()) {
      say(Step::auth, {"AUTH", settings.password});
    }
    const std::string database = std::to_string(settings.database);
    if (settings.database != 0) say(Step::select, {"SELECT", database});
  }
  say(Step::name, {"CLIENT", "SETNAME", "tollgate"});
  if (peer == Peer::sentinel) return;
  if (peer == Peer::master) say(Step::role, {"ROLE"});
  say(Step::replication, {"INFO", "replication"});
  say(Step::memory, {"INFO", "memory"});
}

void RedisHandshake::say(Step step, std::initializer_list<std::string_view> args) {
  append_command(commands_, std::span(args.begin(), args.size()));
  steps_.push_back(step);
}

Result<void> RedisHandshake::take(const RedisReply& reply) {
  const Step step = steps_.at(at_++);
  // What it may not tell us we do without: an ACL may forbid INFO, a proxy may not know CLIENT.
  const bool needed = step == Step::auth || step == Step::select;
  if (reply.is_error() && (needed || reply.is_error("NOAUTH") || reply.is_error("DENIED"))) {
    return fail(ErrorKind::internal, "it refused us: " + reply.text);
  }
  if (step == Step::role && !reply.items.empty() && reply.items[0].text != "master") {
    return fail(ErrorKind::internal, "it is no master but a " + reply.items[0].text);
  }
  if (step == Step::replication && !reply.is_error()) {
    facts_.replication_id = info_line(reply.text, "master_replid");
  }
  if (step == Step::memory && !reply.is_error()) {
    facts_.eviction = info_line(reply.text, "maxmemory_policy");
  }
  return {};
}

}  // namespace tollgate::net
