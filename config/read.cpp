#include "config/read.hpp"

#include <algorithm>

#include "config/expand.hpp"
#include "config/fields.hpp"
#include "config/json_tree.hpp"
#include "config/not_supported.hpp"
#include "config/text_check.hpp"
#include "config/values.hpp"

namespace tollgate::config {
namespace {

constexpr std::string_view duration_words = "a duration such as 250ms, 30s, 10m, 24h or 30d";
constexpr std::string_view size_words = "a size such as 64KiB or 32MiB";
constexpr std::string_view address_words = "an address such as 127.0.0.1:8080, [::1]:8080 or :8080";
constexpr std::string_view time_words =
    "a date such as 2027-01-01 or a time such as 2027-01-01T12:00:00Z";
constexpr std::string_view text_words = "text";
constexpr std::string_view usd_words = "US dollars such as 100 or 0.25 (at most nine decimals)";
constexpr std::string_view share_words = "a share above 0 and at most 1, such as 0.5 or 0.85";

class Reader {
 public:
  Reader(Spots& spots, Problems& problems) : spots_(spots), problems_(problems) {}

  /// Reads a mapping into a struct by its visitor. `node` may be null: nothing is set.
  template <class T>
  bool section(const Node& node, T& out);

 private:
  template <class T>
  friend class Fields;

  // Each `read` sets the member and returns true, or reports and returns false.
  bool read(const Node& node, bool& out, const Rule&) {
    if (is_plain(node) && classify(node.text) == Plain::boolean) {
      out = node.text.front() == 't' || node.text.front() == 'T';
      return true;
    }
    return wrong(node, "true or false");
  }

  bool read(const Node& node, std::uint32_t& out, const Rule& rule) {
    std::uint64_t value = 0;
    if (!read_whole(node, value, rule, std::numeric_limits<std::uint32_t>::max())) return false;
    out = static_cast<std::uint32_t>(value);
    return true;
  }
  bool read(const Node& node, std::uint64_t& out, const Rule& rule) {
    constexpr std::uint64_t most = 1'000'000'000'000;
    return read_whole(node, out, rule, most);
  }
  bool read(const Node& node, int& out, const Rule& rule) {
    std::uint64_t value = 0;
    if (!read_whole(node, value, rule, std::numeric_limits<int>::max())) return false;
    out = static_cast<int>(value);
    return true;
  }
  bool read_whole(const Node& node, std::uint64_t& out, const Rule& rule, std::uint64_t type_max) {
    const auto value = is_plain(node) ? parse_whole(node.text) : std::nullopt;
    if (!value) return wrong(node, "a whole number");
    out = *value;
    return in_range(node, *value, rule.min, std::min(rule.max, type_max), "", "");
  }

  bool read(const Node& node, Duration& out, const Rule& rule) {
    const auto value = scalar(node) ? parse_duration(node.text) : std::nullopt;
    if (!value) return wrong(node, duration_words);
    out = *value;
    return in_range(node, static_cast<std::uint64_t>(value->count()), rule.min, rule.max, "ms", "");
  }
  bool read(const Node& node, Bytes& out, const Rule& rule) {
    const auto value = scalar(node) ? parse_bytes(node.text) : std::nullopt;
    if (!value) return wrong(node, size_words);
    out = *value;
    return in_range(node, value->count, rule.min, rule.max, "", " bytes");
  }
  bool read(const Node& node, Usd& out, const Rule& rule) {
    const auto nano = is_plain(node) ? parse_usd(node.text) : std::nullopt;
    if (!nano) return wrong(node, usd_words);
    out.nano = *nano;
    if (static_cast<std::uint64_t>(*nano) >= rule.min) return true;
    return complain(node, label() + " must be above 0");
  }
  bool read(const Node& node, Share& out, const Rule&) {
    const auto permille = is_plain(node) ? parse_share(node.text) : std::nullopt;
    if (!permille) return wrong(node, share_words);
    out.permille = *permille;
    return true;
  }
  bool read(const Node& node, Downgrade out, const Rule&) {
    if (scalar(node) && node.text == "deny") return true;
    const Node* model = node.kind == Node::Kind::mapping && node.children.size() == 1
                            ? node.find("downgrade")
                            : nullptr;
    if (model == nullptr) return wrong(node, "deny or {downgrade: model}");
    return read(*model, out.model, Rule{.required = true});
  }
  bool read(const Node& node, HedgeAfter& out, const Rule&) {
    auto value = scalar(node) ? parse_hedge_after(node.text) : std::nullopt;
    if (!value) return wrong(node, "a percentile from p50 to p99, or a duration such as 800ms");
    out = *value;
    return true;
  }
  bool read(const Node& node, HostPort& out, const Rule&) {
    auto value = scalar(node) ? parse_host_port(node.text) : std::nullopt;
    if (!value) return wrong(node, address_words);
    out = std::move(*value);
    return true;
  }
  bool read(const Node& node, std::chrono::sys_seconds& out, const Rule&) {
    const auto value = scalar(node) ? parse_time(node.text) : std::nullopt;
    if (!value) return wrong(node, time_words);
    out = *value;
    return true;
  }
  bool read(const Node& node, std::string& out, const Rule& rule) {
    if (!is_text(node)) return wrong(node, text_words);
    if (has_control(node.text)) {
      return complain(node, label() + " must not contain line breaks or control characters");
    }
    const bool known =
        std::find(rule.words.begin(), rule.words.end(), node.text) != rule.words.end();
    if (rule.path && !known && !node.text.empty()) {
      out = relative_to(problems_.file(node.place.file), node.text);
      return true;
    }
    if (!rule.words.empty() && !known) return wrong_word(node, rule.words);
    if (rule.required && node.text.empty()) return complain(node, label() + " must not be empty");
    out = node.text;
    return true;
  }
  bool read(const Node& node, Secret& out, const Rule&) {
    // A secret may look like a number; whatever it looks like, it is not shown.
    if (!scalar(node)) return wrong(node, text_words);
    if (has_control(node.text)) {
      return complain(node, label() + " must not contain line breaks or control characters");
    }
    out.value = node.text;
    return true;
  }

  template <class E>
    requires std::is_enum_v<E>
  bool read(const Node& node, E& out, const Rule&) {
    const auto& names = Spelling<E>::names;
    const auto& later = Spelling<E>::later;
    if (!scalar(node)) return wrong_word(node, names);
    const auto found = std::find(names.begin(), names.end(), node.text);
    if (found != names.end()) {
      out = static_cast<E>(found - names.begin());
      return true;
    }
    const bool known = std::any_of(later.begin(), later.end(), [&](std::string_view word) {
      return word == "*" || word == node.text;
    });
    if (known) return complain(node, label() + ": " + shown(node) + " is not supported yet");
    return wrong_word(node, names);
  }
  bool read(const Node& node, OffOr out, const Rule& rule) {
    return (scalar(node) && node.text == "off") || read(node, out.interval, rule);
  }
  bool read(const Node& node, Lookup out, const Rule&) {
    constexpr static std::array<std::string_view, 2> names{"id", "hash"};
    const auto found = std::find(names.begin(), names.end(), node.text);
    if (!scalar(node) || found == names.end()) return wrong_word(node, names);
    out.by_hash = *found == "hash";
    return true;
  }

  template <class T>
  bool read(const Node& node, OrOff<T> out, const Rule&) {
    out.section.on = !(scalar(node) && node.text == "off");
    if (!out.section.on) return true;
    if (scalar(node)) return wrong(node, "a mapping or off");
    return section(node, out.section);
  }
  template <class T>
  bool read(const Node& node, std::optional<T>& out, const Rule& rule) {
    out.emplace();
    return read(node, *out, rule);
  }
  template <class T>
  bool read(const Node& node, std::vector<T>& out, const Rule& rule) {
    if (node.kind != Node::Kind::list) return wrong(node, "a list");
    if (rule.required && node.children.empty()) {
      return complain(node, label() + " must not be empty");
    }
    // Only the list as a whole is required; an empty text in it is wrong all the same.
    const Rule item_rule{.required = true, .words = rule.words, .path = rule.path};
    out.resize(node.children.size());
    for (std::size_t i = 0; i < out.size(); ++i) {
      field(node.children[i], std::to_string(i), out[i], item_rule);
    }
    return true;
  }
  template <class T>
  bool read(const Node& node, std::vector<std::pair<std::string, T>>& out, const Rule&) {
    return names(node, [&](const Node& entry) {
      out.emplace_back(entry.key, T{});
      field(entry, entry.key, out.back().second, Rule{});
    });
  }
  template <class T>
  bool read(const Node& node, std::map<std::string, T>& out, const Rule&) {
    return names(node, [&](const Node& entry) { field(entry, entry.key, out[entry.key], Rule{}); });
  }
  bool read(const Node& node, TextMembers out, const Rule&) {
    return names(node, [&](const Node& entry) {
      Secret text;  // takes any scalar
      field(entry, entry.key, text, Rule{});
      out.members.emplace_back(entry.key, std::move(text.value));
    });
  }
  bool read(const Node& node, JsonMembers out, const Rule&) {
    return names(node, [&](const Node& entry) {
      JsonText text;
      field(entry, entry.key, text, Rule{});
      out.members.emplace_back(entry.key, std::move(text.json));
    });
  }
  struct JsonText {
    std::string json;
  };
  bool read(const Node& node, JsonText& out, const Rule&) {
    auto json = to_json(node, problems_);
    if (json) out.json = std::move(*json);
    return json.has_value();
  }
  template <class T>
    requires requires { section_of(static_cast<const T*>(nullptr)); }
  bool read(const Node& node, T& out, const Rule&) {
    return section(node, out);
  }

  // A mapping whose keys are the operator's own names; nothing after the colon: none.
  template <class Each>
  bool names(const Node& node, Each each) {
    if (node.kind == Node::Kind::null) return true;
    if (node.kind != Node::Kind::mapping) return wrong(node, "a mapping");
    for (const Node& entry : node.children)
      each(entry);
    return true;
  }

  // Reads one value and notes where it stands under the path so far plus `step`.
  template <class T>
  void field(const Node& node, std::string_view step, T&& member, const Rule& rule) {
    const std::size_t path_size = path_.size();
    const std::string label = label_;
    Spots::append(path_, step);
    if (!node.key.empty()) label_ = node.key;
    const bool usable = !node.unusable && read(node, member, rule);
    spots_.set(path_, Spot{node.head(), node.place, node.expanded, usable});
    path_.resize(path_size);
    label_ = label;
  }

  static bool scalar(const Node& node) { return node.kind == Node::Kind::scalar; }
  // What came out of an expansion has the type that is asked for, in quotes or not.
  static bool is_plain(const Node& node) { return scalar(node) && (!node.quoted || node.expanded); }
  static bool is_text(const Node& node) {
    return scalar(node) && (node.quoted || node.expanded || classify(node.text) == Plain::text);
  }

  [[nodiscard]] std::string label() const { return quote(label_); }

  static std::string shown(const Node& node) {
    return node.expanded ? "what it expands to" : quote(node.text);
  }
  static std::string got(const Node& node, bool containers_only) {
    if (node.kind == Node::Kind::null) return "nothing";
    if (node.kind == Node::Kind::list) return "a list";
    if (node.kind == Node::Kind::mapping) return "a mapping";
    if (node.expanded) return "what it expands to";
    // A secret that stands where its list should be must not be shown.
    if (containers_only) return "a single value";
    if (node.quoted) return "the text " + quote(node.text);
    const Plain plain = classify(node.text);
    if (plain == Plain::boolean) return node.text + " (quote it if it is text)";
    if (plain == Plain::text) return quote(node.text);
    return "the number " + quote(node.text) + " (quote it if it is text)";
  }

  bool complain(const Node& node, std::string message) {
    // Nothing stands nowhere: the parser places it at whatever comes next.
    problems_.add(node.kind == Node::Kind::null ? node.head() : node.place, std::move(message));
    return false;
  }
  bool wrong(const Node& node, std::string_view expected) {
    const bool containers_only = expected == "a list" || expected == "a mapping";
    std::string text = got(node, containers_only);
    if (expected != text_words) {
      text = text.substr(0, text.find(" (quote it"));
      if (is_plain(node) && !node.expanded && classify(node.text) == Plain::not_json) {
        text += " (leading zeros, signs and other bases are not read)";
      }
    }
    return complain(node, label() + " must be " + std::string(expected) + ", got " + text);
  }
  bool wrong_word(const Node& node, Words words) {
    std::string list;
    for (const std::string_view word : words) {
      if (!list.empty()) list += word == words.back() ? " or " : ", ";
      list += word;
    }
    const bool can_show = scalar(node) && !node.expanded;
    const std::string what = can_show ? quote(node.text) : got(node, false);
    const std::string message = label() + " must be " + list + ", got " + what;
    if (!can_show) return complain(node, message);
    problems_.add_with_suggestion(node.place, message, node.text, {words.begin(), words.end()});
    return false;
  }
  bool in_range(const Node& node, std::uint64_t value, std::uint64_t min, std::uint64_t max,
                std::string_view unit, std::string_view words) {
    if (value >= min && value <= max) return true;
    const auto amount = [&](std::uint64_t number) {
      return std::to_string(number) + std::string(unit) + std::string(words);
    };
    std::string bound = "at least " + amount(min);
    if (min == max) bound = amount(min);
    if (min != max && value > max) bound = "at most " + amount(max);
    return complain(node, label() + " must be " + bound + ", got " +
                              (node.expanded ? "what it expands to" : node.text));
  }

  Spots& spots_;
  Problems& problems_;
  std::string path_;
  std::string label_;
};

// The visitor that reads one section: finds each field's entry, then reports what is left over.
template <class T>
class Fields {
 public:
  Fields(Reader& reader, const Node& node) : reader_(reader), node_(node) {
    for (const Node& entry : node.children)
      entries_.emplace(entry.key, &entry);
  }

  template <class M>
  void operator()(std::string_view name, M&& member, std::string_view, const Rule& rule = {}) {
    names_.push_back(name);
    const auto found = entries_.find(name);
    if (found != entries_.end()) {
      reader_.field(*found->second, name, member, rule);
    } else if (rule.required) {
      reader_.problems_.add(node_.head(), quote(name) + " is required" + in_section());
    }
  }

  void report_leftovers() {
    for (const Node& entry : node_.children) {
      if (std::find(names_.begin(), names_.end(), entry.key) != names_.end()) continue;
      if (is_not_supported(section_of(static_cast<const T*>(nullptr)), entry.key)) {
        reader_.problems_.add(entry.key_place, quote(entry.key) + " is not supported yet");
      } else {
        reader_.problems_.add_with_suggestion(entry.key_place, "unknown key " + quote(entry.key),
                                              entry.key, names_);
      }
    }
  }

 private:
  [[nodiscard]] std::string in_section() const {
    return reader_.label_.empty() ? "" : " in " + reader_.label();
  }

  Reader& reader_;
  const Node& node_;
  std::unordered_map<std::string_view, const Node*> entries_;
  std::vector<std::string_view> names_;
};

template <class T>
bool Reader::section(const Node& node, T& out) {
  if (node.kind != Node::Kind::mapping && node.kind != Node::Kind::null) {
    return wrong(node, "a mapping");
  }
  Fields<T> fields(*this, node);
  visit_fields(out, fields);
  fields.report_leftovers();
  return true;
}

}  // namespace

void read_config(const Node& root, Config& config, Spots& spots, Problems& problems) {
  Reader(spots, problems).section(root, config);
}

}  // namespace tollgate::config
