#include "config/include.hpp"

#include <algorithm>
#include <filesystem>
#include <glob.h>
#include <set>
#include <unordered_map>

#include "config/expand.hpp"

namespace tollgate::config {
namespace {

constexpr std::size_t included_files_max = 1000;
constexpr std::string_view merged_by_name[] = {"providers", "models", "tiers", "tenants"};

bool has_glob(std::string_view pattern) {
  return pattern.find_first_of("*?[") != std::string_view::npos;
}

// The files that a pattern means, sorted.
std::vector<std::string> matching_files(const std::string& pattern) {
  std::vector<std::string> out;
  glob_t found{};
  if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) {
    for (std::size_t i = 0; i < found.gl_pathc; ++i)
      out.emplace_back(found.gl_pathv[i]);
  }
  ::globfree(&found);
  std::sort(out.begin(), out.end());
  return out;
}

// Merges trees by name and refuses what stands in two of them.
class Merger {
 public:
  explicit Merger(Problems& problems) : problems_(problems) { root_.kind = Node::Kind::mapping; }

  void take(Node document, bool main_file) {
    if (main_file) root_.place = document.place;
    for (Node& section : document.children) {
      if (!main_file && section.key == "include") continue;  // followed already
      if (!main_file && section.key == "version") {
        check_version(section);
        continue;
      }
      take_section(std::move(section));
    }
  }
  Node take_root() { return std::move(root_); }

 private:
  void check_version(const Node& version) {
    if (version.text != "1") problems_.add(version.place, "\"version\" must be 1");
  }

  void take_section(Node section) {
    const auto [slot, fresh] = sections_.try_emplace(section.key, root_.children.size());
    if (fresh) {
      remember_names(section, section.key);
      root_.children.push_back(std::move(section));
      return;
    }
    Node& first = root_.children[slot->second];
    const bool by_name = std::find(std::begin(merged_by_name), std::end(merged_by_name),
                                   section.key) != std::end(merged_by_name);
    if (!by_name) return defined_twice(section, first.key_place);
    if (section.kind == Node::Kind::null) return;
    if (section.kind != Node::Kind::mapping) {
      return problems_.add(section.place, quote(section.key) + " must be a mapping");
    }
    if (first.kind == Node::Kind::null) first.kind = Node::Kind::mapping;
    if (first.kind != Node::Kind::mapping) return;  // the reader reports it
    for (Node& entry : section.children)
      take_entry(first, std::move(entry));
  }

  void take_entry(Node& section, Node entry) {
    const auto [seen, fresh] = names_[section.key].try_emplace(entry.key, entry.key_place);
    if (!fresh) return defined_twice(entry, seen->second);
    section.children.push_back(std::move(entry));
  }

  void remember_names(const Node& section, const std::string& name) {
    if (section.kind != Node::Kind::mapping) return;
    for (const Node& entry : section.children)
      names_[name].emplace(entry.key, entry.key_place);
  }

  void defined_twice(const Node& again, Place first) {
    problems_.add(again.key_place,
                  quote(again.key) + " is defined twice (first at " + problems_.where(first) + ")");
  }

  Problems& problems_;
  Node root_;
  std::unordered_map<std::string, std::size_t> sections_;
  std::unordered_map<std::string, std::unordered_map<std::string, Place>> names_;
};

class Gatherer {
 public:
  Gatherer(const Surroundings& surroundings, Problems& problems)
      : problems_(problems), expander_(surroundings, budget_, problems), merger_(problems) {}

  void add_main_file(const std::string& path) {
    const std::uint32_t index = problems_.add_file(path);
    seen_.insert(identity(path));
    files_.push_back(path);
    read_file(path, index, Place{index, 0, 0}, true);
  }

  void add_text(std::string_view text, const std::string& name) {
    auto document = parse(text, problems_.add_file(name));
    if (!document) return;
    if (const Node* include = document->find("include")) {
      problems_.add(include->key_place, "\"include\" works only in a file");
    }
    merger_.take(std::move(*document), true);
    complete_ = true;
  }

  Gathered finish() {
    Gathered out;
    if (complete_) out.root = merger_.take_root();
    out.partial = partial_;
    out.files = std::move(files_);
    out.files.insert(out.files.end(), expander_.files().begin(), expander_.files().end());
    return out;
  }

 private:
  static std::string identity(const std::string& path) {
    std::error_code ignored;
    const auto canonical = std::filesystem::weakly_canonical(path, ignored);
    return ignored ? path : canonical.string();
  }

  std::optional<Node> parse(std::string_view text, std::uint32_t index) {
    auto document = parse_yaml(text, index, budget_, problems_);
    if (!document || document->kind != Node::Kind::mapping) partial_ = true;
    if (!document) return std::nullopt;
    if (document->kind != Node::Kind::mapping) {
      problems_.add(document->place, "the file must hold a mapping of sections");
      return std::nullopt;
    }
    expander_.expand(*document);
    return document;
  }

  void read_file(const std::string& path, std::uint32_t index, Place named_at, bool main_file) {
    std::string error;
    const auto text = read_regular_file(path, file_bytes_max, error);
    if (!text) {
      partial_ = true;
      const std::string what = main_file ? "" : " " + quote(path);
      return problems_.add(named_at, "cannot read" + what + ": " + error);
    }
    auto document = parse(*text, index);
    if (!document) return;
    std::vector<Node> includes;
    if (const Node* include = document->find("include")) includes.push_back(*include);
    merger_.take(std::move(*document), main_file);
    complete_ = complete_ || main_file;
    for (const Node& include : includes)
      follow(include, path, main_file);
  }

  void follow(const Node& include, const std::string& from, bool main_file) {
    if (include.kind != Node::Kind::list) {
      // In the main file the reader says so.
      if (!main_file) problems_.add(include.place, "\"include\" must be a list");
      return;
    }
    for (const Node& item : include.children) {
      if (item.kind == Node::Kind::scalar && !item.unusable) follow_pattern(item, from);
    }
  }

  void follow_pattern(const Node& item, const std::string& from) {
    const std::string pattern = relative_to(from, item.text);
    std::vector<std::string> paths{pattern};
    if (has_glob(item.text)) {
      // A file that is added later must wake the watch, so the folder is watched too.
      files_.push_back(std::filesystem::path(pattern).parent_path().string());
      paths = matching_files(pattern);
    }
    for (const std::string& path : paths)
      include_file(path, item.place);
  }

  void include_file(const std::string& path, Place named_at) {
    // A file that is named twice, or that includes itself, is read once.
    if (!seen_.insert(identity(path)).second) return;
    if (seen_.size() > included_files_max) {
      return problems_.add(named_at, "more than " + std::to_string(included_files_max) + " files");
    }
    files_.push_back(path);
    read_file(path, problems_.add_file(path), named_at, false);
  }

  Problems& problems_;
  Budget budget_;
  Expander expander_;
  Merger merger_;
  std::vector<std::string> files_;
  std::set<std::string> seen_;
  bool complete_ = false, partial_ = false;
};

}  // namespace

Gathered gather_file(const std::string& path, const Surroundings& surroundings,
                     Problems& problems) {
  Gatherer gatherer(surroundings, problems);
  gatherer.add_main_file(path);
  return gatherer.finish();
}

Gathered gather_text(std::string_view text, const std::string& name,
                     const Surroundings& surroundings, Problems& problems) {
  Gatherer gatherer(surroundings, problems);
  gatherer.add_text(text, name);
  return gatherer.finish();
}

}  // namespace tollgate::config
