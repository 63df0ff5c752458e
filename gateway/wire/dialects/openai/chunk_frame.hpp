// ChunkFrame: what is the same in every chunk of a stream, rendered once and then copied.
// The first chunk settles id, created and model; a provider that changes them later is not heard.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/wire/dialects/openai/reply.hpp"

namespace tollgate::wire::openai {

class ChunkFrame {
 public:
  ChunkFrame(const ReplyContext& context, std::string_view object)
      : identity_(context), object_(object), include_usage_(context.include_usage) {}

  void started(const Started& started) {
    if (head_.empty()) identity_.started(started);
  }
  [[nodiscard]] const ReplyIdentity& identity() const { return identity_; }

  /// `data: {...,"choices":[{"index":N,`
  void open(std::string& out, std::uint32_t choice) {
    out.append(head()).append("{\"index\":");
    append_number(out, choice);
    out += ',';
  }
  /// A member of the reply, as JSON, in each chunk that ends it; the last one of a name counts.
  void member(std::string_view name, std::string_view json) { put(members_, name, json); }
  /// The same, of its usage.
  void usage_member(std::string_view name, std::string_view json) {
    put(usage_members_, name, json);
  }
  /// Closes the choice of a chunk that ends it.
  void close_last(std::string& out) const {
    out += include_usage_ ? "}],\"usage\":null" : "}]";
    append_members(out, members_);
    out += "}\n\n";
  }
  /// Closes a delta that is not the choice's last, and the choice.
  void close_delta(std::string& out) const {
    out += include_usage_ ? "},\"finish_reason\":null}],\"usage\":null}\n\n"
                          : "},\"finish_reason\":null}]}\n\n";
  }
  /// Closes the choice after its last member.
  void close(std::string& out) const {
    out += include_usage_ ? "}],\"usage\":null}\n\n" : "}]}\n\n";
  }
  void usage(std::string& out, const std::optional<UsageEvent>& usage) {
    if (!include_usage_ || !usage) return;
    out.append(head()).append("],\"usage\":");
    append_usage(out, usage->usage, usage->cost, usage_members_);
    append_members(out, members_);
    out += "}\n\n";
  }

 private:
  static void put(std::vector<RawField>& to, std::string_view name, std::string_view json) {
    std::erase_if(to, [&](const RawField& each) { return each.first == name; });
    to.emplace_back(name, json);
  }
  const std::string& head() {
    if (head_.empty()) {
      head_ = "data: ";
      identity_.append_head(head_, object_);
      head_ += ",\"choices\":[";
    }
    return head_;
  }

  ReplyIdentity identity_;
  std::string_view object_;
  std::string head_;
  std::vector<RawField> members_, usage_members_;
  bool include_usage_;
};

}  // namespace tollgate::wire::openai
