#include "config/fields.hpp"
#include "config/load.hpp"
#include "config/text_check.hpp"
#include "config/values.hpp"

namespace tollgate::config {
namespace {

constexpr std::string_view masked = "***";
constexpr std::size_t digest_digits_shown = 8;

// `https://hooks.example/***`: still a URL, so that what is shown can be read again.
std::string up_to_host(std::string_view url) {
  const std::size_t slash = url.find('/', url.find("://") + 3);
  if (slash == url.npos) return std::string(url);
  return std::string(url.substr(0, slash + 1)) + std::string(masked);
}

// Writes values as YAML: one line per scalar, text always in double quotes.
class Writer {
 public:
  template <class M>
  void operator()(std::string_view name, M&& member, std::string_view, const Rule& rule = {}) {
    entry(name, member, rule);
  }
  std::string take() { return std::move(out_); }

 private:
  template <class T>
  void entry(std::string_view name, const std::optional<T>& value, const Rule& rule) {
    if (value) entry(name, *value, rule);
  }
  template <class T>
  void entry(std::string_view name, const T& value, const Rule& rule) {
    if (empty(value)) return;
    start_line() += key_text(name) + ":";
    write(value, rule);
  }
  // An empty text or secret is what an absent key means.
  static bool empty(const std::string& value) { return value.empty(); }
  static bool empty(const Secret& value) { return value.value.empty(); }
  template <class T>
  static bool empty(const T&) {
    return false;
  }

  std::string& start_line() {
    if (after_dash_) {
      after_dash_ = false;
      return out_;
    }
    return out_ += std::string(depth_ * 2, ' ');
  }
  static std::string key_text(std::string_view name) {
    const bool simple =
        name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_0123456789") == name.npos;
    return simple && classify(name) == Plain::text ? std::string(name) : json_quoted(name);
  }
  void scalar(std::string_view text) { ((out_ += ' ') += text) += '\n'; }

  void write(bool value, const Rule&) { scalar(value ? "true" : "false"); }
  void write(std::uint32_t value, const Rule&) { scalar(std::to_string(value)); }
  void write(std::uint64_t value, const Rule&) { scalar(std::to_string(value)); }
  void write(Usd value, const Rule&) { scalar(usd_text(value.nano)); }
  void write(Share value, const Rule&) { scalar(to_text(value)); }
  void write(const Downgrade& value, const Rule&) {
    scalar(value.model.empty() ? "deny" : "{downgrade: " + json_quoted(value.model) + "}");
  }
  void write(const HedgeAfter& value, const Rule&) { scalar(to_text(value)); }
  void write(int value, const Rule&) { scalar(std::to_string(value)); }
  void write(Duration value, const Rule&) { scalar(to_text(value)); }
  void write(Bytes value, const Rule&) { scalar(to_text(value)); }
  void write(const HostPort& value, const Rule&) { scalar(json_quoted(value.text())); }
  void write(std::chrono::sys_seconds value, const Rule&) { scalar(to_text(value)); }
  void write(const std::string& value, const Rule& rule) {
    if (rule.host_only) return scalar(json_quoted(up_to_host(value)));
    if (!rule.digest) return scalar(json_quoted(value));
    // Enough to tell keys apart, too little to search for a weak one.
    scalar(json_quoted(value.substr(0, digest_digits_shown) + std::string(masked)));
  }
  void write(const Secret& value, const Rule&) {
    scalar(json_quoted(value.value.empty() ? "" : masked));
  }
  template <class E>
    requires std::is_enum_v<E>
  void write(E value, const Rule&) {
    scalar(Spelling<E>::names[static_cast<std::size_t>(value)]);
  }
  void write(const OffOr& value, const Rule&) {
    scalar(value.interval.count() == 0 ? "off" : to_text(value.interval));
  }
  void write(const Lookup& value, const Rule&) { scalar(value.by_hash ? "hash" : "id"); }
  void write(const JsonMembers& value, const Rule&) {
    names(value.members, [this](const std::string& json) { scalar(json); });
  }
  void write(const TextMembers& value, const Rule& rule) { write(value.members, rule); }
  template <class T>
  void write(const OrOff<T>& value, const Rule& rule) {
    value.section.on ? write(value.section, rule) : scalar("off");
  }
  template <class T>
  void write(const std::vector<std::pair<std::string, T>>& value, const Rule& rule) {
    names(value, [&](const T& item) { write(item, rule); });
  }
  template <class T>
  void write(const std::map<std::string, T>& value, const Rule& rule) {
    names(value, [&](const T& item) { write(item, rule); });
  }
  template <class T>
  void write(const std::vector<T>& value, const Rule& rule) {
    if (value.empty()) return scalar("[]");
    out_ += '\n';
    ++depth_;
    for (const T& item : value) {
      start_line() += "-";
      write_item(item, rule);
    }
    --depth_;
  }
  template <class T>
  void write_item(const T& item, const Rule& rule) {
    if constexpr (requires { section_of(&item); }) {
      out_ += ' ';
      after_dash_ = true;  // the first field stands behind the dash
      section(item);
    } else {
      write(item, rule);
    }
  }
  template <class T>
    requires requires { section_of(static_cast<const T*>(nullptr)); }
  void write(const T& value, const Rule&) {
    out_ += '\n';
    section(value);
  }
  template <class T>
  void section(const T& value) {
    T copy = value;  // visitors take what they could write to
    ++depth_;
    visit_fields(copy, *this);
    --depth_;
  }
  template <class Names, class Each>
  void names(const Names& value, Each each) {
    if (value.empty()) return scalar("{}");
    out_ += '\n';
    ++depth_;
    for (const auto& [name, item] : value) {
      start_line() += key_text(name) + ":";
      each(item);
    }
    --depth_;
  }

  std::string out_;
  std::size_t depth_ = 0;
  bool after_dash_ = false;
};

}  // namespace

std::string masked_yaml(const Config& config) {
  Writer writer;
  Config copy = config;
  visit_fields(copy, writer);
  return writer.take();
}

}  // namespace tollgate::config
