#include "config/price_file.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include "config/node.hpp"
#include "config/price_fields.hpp"
#include "config/values.hpp"

namespace tollgate::config {
namespace {

constexpr char shipped[] = {
#embed "prices.yaml"
};

constexpr NanoUsd price_max = 1'000'000 * nano_per_usd;

bool is_plain(const Node& node) { return node.kind == Node::Kind::scalar && !node.quoted; }

/// Reads the values of one file's rows. Each `read` sets the member and returns true, or reports
/// and returns false.
class RowReader {
 public:
  explicit RowReader(Problems& problems) : problems_(problems) {}

  /// The mapping `node` into `out` by its visitor.
  template <class T>
  bool section(const Node& node, T& out) {
    if (node.kind != Node::Kind::mapping) return wrong(node, "a mapping");
    std::vector<std::string_view> names;
    bool fine = true;
    const auto visit = [&](std::string_view name, auto& member) {
      names.push_back(name);
      const Node* entry = node.find(name);
      if (entry != nullptr && !read(*entry, member)) fine = false;
    };
    visit_fields(out, visit);
    for (const Node& entry : node.children) {
      if (std::ranges::find(names, entry.key) != names.end()) continue;
      problems_.add_with_suggestion(entry.key_place, "unknown key " + quote(entry.key), entry.key,
                                    names);
      fine = false;
    }
    return fine;
  }

  bool complain(Place place, std::string message) {
    problems_.add(place, std::move(message));
    return false;
  }

 private:
  bool read(const Node& node, std::string& out) {
    const bool text = node.kind == Node::Kind::scalar &&
                      (node.quoted || classify(node.text) == Plain::text) && !node.text.empty();
    if (!text) return wrong(node, "text (quote it if it looks like a number)");
    out = node.text;
    return true;
  }
  bool read(const Node& node, std::chrono::sys_seconds& out) {
    const auto time = node.kind == Node::Kind::scalar ? parse_time(node.text) : std::nullopt;
    if (!time) return wrong(node, "a date such as 2027-01-01 or a time in RFC 3339");
    out = *time;
    return true;
  }
  bool read(const Node& node, NanoUsd& out) {
    const auto price = is_plain(node) ? parse_price(node.text) : std::nullopt;
    if (!price) {
      return wrong(node, "US dollars such as 0.15: no sign, at most 9 decimals, at most a million");
    }
    out = *price;
    return true;
  }
  bool read(const Node& node, std::uint64_t& out) {
    const auto count = is_plain(node) ? parse_whole(node.text) : std::nullopt;
    if (!count || *count == 0) return wrong(node, "a whole number above 0");
    out = *count;
    return true;
  }
  bool read(const Node& node, std::uint32_t& out) {
    std::uint64_t wide = 0;
    if (!read(node, wide)) return false;
    if (wide > UINT32_MAX) return wrong(node, "at most " + std::to_string(UINT32_MAX));
    out = static_cast<std::uint32_t>(wide);
    return true;
  }
  template <class T>
  bool read(const Node& node, std::optional<T>& out) {
    return read(node, out.emplace());
  }
  // Zero tokens of overhead are a statement; zero for the others would be a slip.
  bool read(const Node& node, std::optional<std::uint64_t>& out) {
    if (node.key == "overhead" && is_plain(node) && node.text == "0") {
      out = 0;
      return true;
    }
    return read(node, out.emplace());
  }
  bool read(const Node& node, std::vector<std::pair<std::string, NanoUsd>>& out) {
    if (node.kind != Node::Kind::mapping) return wrong(node, "a mapping from tool to price");
    bool fine = true;
    for (const Node& entry : node.children)
      fine = read(entry, out.emplace_back(entry.key, 0).second) && fine;
    return fine;
  }
  bool read(const Node& node, std::vector<LengthTier>& out) {
    if (node.kind != Node::Kind::list) return wrong(node, "a list");
    bool fine = true;
    for (const Node& item : node.children) {
      LengthTier& tier = out.emplace_back();
      if (!section(item, tier)) {
        fine = false;
      } else if (tier.above == 0) {
        fine = complain(item.place, "\"above\" is required in \"tiers\"");
      } else if (tier.rates == Rates{}) {
        fine = complain(item.place, "the tier has no price");
      }
    }
    std::ranges::sort(out, {}, &LengthTier::above);
    if (fine && std::ranges::adjacent_find(out, {}, &LengthTier::above) != out.end()) {
      return complain(node.head(), "two tiers begin above the same length");
    }
    return fine;
  }

  static std::string got(const Node& node) {
    switch (node.kind) {
      case Node::Kind::null:
        return "nothing";
      case Node::Kind::list:
        return "a list";
      case Node::Kind::mapping:
        return "a mapping";
      case Node::Kind::scalar:
        break;
    }
    return (node.quoted ? "the text " : "") + quote(node.text);
  }
  bool wrong(const Node& node, const std::string& expected) {
    const std::string what = node.key.empty() ? "it" : quote(node.key);
    return complain(node.kind == Node::Kind::null ? node.head() : node.place,
                    what + " must be " + expected + ", got " + got(node));
  }

  Problems& problems_;
};

bool has_price(const PriceRow& row) {
  return row.rates != Rates{} || row.image || row.request || !row.tools.empty();
}

/// What a row says as a whole.
bool check_row(const Node& node, PriceRow& row, RowReader& reader) {
  if (row.service_tier == "default" || row.service_tier == "standard") row.service_tier.clear();
  for (const auto& [name, text] : {std::pair{"provider", &row.provider}, {"model", &row.model}}) {
    if (text->empty()) return reader.complain(node.place, quote(name) + " is required");
  }
  if (row.model.find('*') < row.model.size() - 1) {
    return reader.complain(node.find("model")->place, "\"*\" may only stand at the end of a model");
  }
  return has_price(row) || reader.complain(node.place, "the row has no price");
}

/// Names one row's figures for the ledger: the file, what it held, and where in it.
std::string version_of(const PriceRow& row, const std::string& file) {
  std::string out = file + ":" + row.provider + "/" + row.model;
  if (!row.service_tier.empty()) out += "#" + row.service_tier;
  if (row.from != std::chrono::sys_seconds{}) out += "@" + to_text(row.from).substr(0, 10);
  return out;
}

std::string file_version(std::string_view text, const std::string& name) {
  constexpr std::size_t hash_digits = 6;
  return name.substr(name.rfind('/') + 1) + "@" + sha256_hex(text).substr(0, hash_digits);
}

const Node* list_of(const Node& root, Problems& problems) {
  for (const Node& entry : root.children) {
    if (entry.key == "prices") continue;
    problems.add_with_suggestion(entry.key_place, "unknown key " + quote(entry.key), entry.key,
                                 {"prices"});
  }
  const Node* list = root.find("prices");
  if (list != nullptr && list->kind == Node::Kind::list) return list;
  problems.add(list == nullptr ? root.place : list->head(),
               "a price file is a list of rows under \"prices\"");
  return nullptr;
}

}  // namespace

std::vector<PriceRow> read_prices(std::string_view text, const std::string& name,
                                  Problems& problems) {
  std::vector<PriceRow> rows;
  Budget budget;
  const auto root = parse_yaml(text, problems.add_file(name), budget, problems);
  const Node* list = root ? list_of(*root, problems) : nullptr;
  if (list == nullptr) return rows;
  const std::string version = file_version(text, name);
  std::map<std::tuple<std::string, std::string, std::string, std::chrono::sys_seconds>, int> seen;
  RowReader reader(problems);
  for (const Node& node : list->children) {
    PriceRow row;
    if (!reader.section(node, row) || !check_row(node, row, reader)) continue;
    const auto [first, fresh] =
        seen.try_emplace({row.provider, row.model, row.service_tier, row.from}, node.place.line);
    if (!fresh) {
      reader.complain(node.place, "the same row stands at line " + std::to_string(first->second));
      continue;
    }
    row.version = version_of(row, version);
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string_view shipped_prices() { return {shipped, sizeof shipped}; }

const PriceBook& shipped_price_book() {
  static const PriceBook book = [] {
    Problems problems;  // it has none: a test sees to that
    return PriceBook(read_prices(shipped_prices(), std::string(shipped_prices_name), problems));
  }();
  return book;
}

std::optional<NanoUsd> parse_price(std::string_view text) {
  const auto nano = parse_usd(text);
  return nano && *nano <= price_max ? nano : std::nullopt;
}

}  // namespace tollgate::config
