#include "policies/ledger/summary.hpp"

#include <algorithm>
#include <array>

#include "policies/ledger/row_text.hpp"

namespace tollgate::ledger {
namespace {

constexpr std::array<std::string_view, 8> dimensions{"tenant",   "key",      "user",   "model",
                                                     "provider", "endpoint", "status", "day"};
constexpr std::string_view tag_prefix = "tag:";

std::string value_of(const Outcome& call, std::string_view name, const std::string& provider) {
  if (name == "tenant") return call.tenant;
  if (name == "key") return call.key_id;
  if (name == "user") return call.user;
  if (name == "model") return call.model.empty() ? call.model_asked : call.model;
  if (name == "provider") return provider;
  if (name == "endpoint") return std::string(to_string(call.endpoint));
  if (name == "status") return std::string(to_string(call.status));
  if (name == "day") return timestamp(call.started_at).substr(0, 10);
  name.remove_prefix(tag_prefix.size());
  const auto tag = std::ranges::find(call.tags, name,
                                     [](const auto& each) { return std::string_view(each.first); });
  return tag == call.tags.end() ? "" : tag->second;
}

/// Names that clients choose must not draw on an operator's terminal.
std::string printable(std::string text) {
  constexpr unsigned char space = 0x20, del = 0x7f;
  std::ranges::replace_if(text, [](unsigned char c) { return c < space || c == del; }, '?');
  return text;
}

/// Cells under each other: names to the left, numbers to the right.
std::string aligned(const std::vector<std::vector<std::string>>& rows, std::size_t names) {
  std::vector<std::size_t> widths(rows.front().size());
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], row[i].size());
  }
  std::string out;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string space(widths[i] - row[i].size(), ' ');
      if (i > 0) out += "  ";
      out += i < names ? row[i] + space : space + row[i];
    }
    out += '\n';
  }
  return out;
}

}  // namespace

Result<Summary> Summary::by(std::string_view by) {
  Summary summary;
  while (true) {
    const std::size_t comma = by.find(',');
    const std::string_view name = by.substr(0, comma);
    const bool tag = name.starts_with(tag_prefix) && name.size() > tag_prefix.size();
    if (!tag && std::ranges::find(dimensions, name) == dimensions.end()) {
      return fail(ErrorKind::invalid_request,
                  "cannot sum by \"" + std::string(name) +
                      "\"; there are tenant, key, user, model, provider, endpoint, status, day "
                      "and tag:NAME");
    }
    summary.providers_ = summary.providers_ || name == "provider";
    summary.by_.emplace_back(name);
    if (comma == std::string_view::npos) return summary;
    by.remove_prefix(comma + 1);
  }
}

void Summary::add(const Outcome& call) {
  // What was sent nowhere costs nothing, whatever its model's price.
  if (call.attempts.empty()) return add(call, call.provider, {call.count, call.usage, 0, 0});
  if (!providers_)
    return add(call, call.provider, {call.count, call.usage, call.cost, call.charged});
  for (const AttemptOutcome& attempt : call.attempts)
    add(call, attempt.provider, {1, attempt.usage, attempt.cost, attempt.charged});
}

void Summary::add(const Outcome& call, const std::string& provider, const Share& share) {
  std::vector<std::string> key;
  for (const std::string& name : by_) {
    std::string value = value_of(call, name, provider);
    key.push_back(value.empty() ? "-" : std::move(value));
  }
  add(lines_[key], share);
  add(all_, share);
}

void Summary::add(Line& line, const Share& share) {
  line.calls += share.calls;
  line.input += share.usage.prompt();
  line.output += share.usage.output;
  line.charged = add_saturated(line.charged, share.charged);
  if (share.cost) {
    line.cost = add_saturated(line.cost, *share.cost);
  } else {
    line.unpriced += share.calls;
  }
}

std::string Summary::table() const {
  if (lines_.empty()) return {};
  std::vector<std::pair<std::vector<std::string>, Line>> sorted(lines_.begin(), lines_.end());
  std::ranges::sort(sorted, [](const auto& a, const auto& b) {
    return a.second.cost != b.second.cost ? a.second.cost > b.second.cost : a.first < b.first;
  });
  std::vector<std::vector<std::string>> rows;
  const auto row = [&](std::vector<std::string> cells, const Line& line) {
    std::ranges::transform(cells, cells.begin(), printable);
    cells.push_back(std::to_string(line.calls));
    cells.push_back(std::to_string(line.input));
    cells.push_back(std::to_string(line.output));
    cells.push_back(usd_text(line.cost));
    cells.push_back(usd_text(line.charged));
    if (all_.unpriced > 0) cells.push_back(std::to_string(line.unpriced));
    rows.push_back(std::move(cells));
  };
  std::vector<std::string> head = by_;
  for (const char* name : {providers_ ? "attempts" : "calls", "input tokens", "output tokens",
                           "cost USD", "charged USD"})
    head.emplace_back(name);
  if (all_.unpriced > 0) head.emplace_back("without a price");
  rows.push_back(std::move(head));
  for (const auto& [key, line] : sorted)
    row(key, line);
  std::vector<std::string> last(by_.size());
  last.front() = "(all)";
  row(std::move(last), all_);
  return aligned(rows, by_.size());
}

}  // namespace tollgate::ledger
