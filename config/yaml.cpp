#include <algorithm>
#include <map>
#include <sstream>
#include <unordered_map>
#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "config/node.hpp"
#include "config/text_check.hpp"

namespace tollgate::config {
namespace {

std::string too_deep() { return "nested deeper than " + std::to_string(depth_max) + " levels"; }

// Builds the tree from yaml-cpp's events: the only interface of it that still tells an alias from
// a value and a plain scalar from a quoted one.
class Builder : public YAML::EventHandler {
 public:
  Builder(std::uint32_t file, Budget& budget, Problems& problems)
      : file_(file), budget_(budget), problems_(problems) {}

  [[nodiscard]] bool broken() const { return broken_; }
  Node take_root() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (broken_) return;
    Node node = make(Node::Kind::null, mark);
    finish(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (broken_) return;
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) return stop(place(mark), "an alias inside of what it names");
    if (!pay(found->second)) return;
    Node node = found->second;
    node.place = place(mark);
    finish(std::move(node), 0);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (broken_) return;
    Node node = make(Node::Kind::scalar, mark);
    node.text = value;
    node.quoted = tag != "?";
    check_tag(node.place, tag);
    finish(std::move(node), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(Node::Kind::list, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(Node::Kind::mapping, mark, tag, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    Node node;
    YAML::anchor_t anchor = 0;
    bool has_key = false;     // a mapping's key has been read, its value is next
    bool drop_value = false;  // the key was refused
    std::string key;
    Place key_place;
    std::unordered_map<std::string, int> lines;  // keys seen, with their lines
  };

  [[nodiscard]] Place place(const YAML::Mark& mark) const {
    return {file_, mark.line + 1, mark.column + 1};
  }

  Node make(Node::Kind kind, const YAML::Mark& mark) const {
    Node node;
    node.kind = kind;
    node.place = place(mark);
    return node;
  }

  void stop(Place where, std::string message) {
    problems_.add(where, std::move(message));
    broken_ = true;
  }

  void check_tag(Place where, const std::string& tag) {
    if (tag == "?" || tag == "!" || tag.empty()) return;
    problems_.add(where, "YAML tags (!...) are not supported");
  }

  // Charges a whole subtree: what copies it must not do so without end.
  bool pay(const Node& node) {
    if (broken_) return false;
    if (!budget_.take(node.text.size() + node.key.size())) {
      stop(node.place, "the configuration is too large");
      return false;
    }
    for (const Node& child : node.children) {
      if (!pay(child)) return false;
    }
    return true;
  }

  void open(Node::Kind kind, const YAML::Mark& mark, const std::string& tag,
            YAML::anchor_t anchor) {
    if (broken_) return;
    if (stack_.size() >= depth_max) {
      return stop(place(mark), too_deep());
    }
    check_tag(place(mark), tag);
    Open opened;
    opened.node = make(kind, mark);
    opened.anchor = anchor;
    stack_.push_back(std::move(opened));
  }

  void close() {
    if (broken_ || stack_.empty()) return;
    Open done = std::move(stack_.back());
    stack_.pop_back();
    finish(std::move(done.node), done.anchor);
  }

  void finish(Node node, YAML::anchor_t anchor) {
    if (!budget_.take(node.text.size())) {
      return stop(node.place, "the configuration is too large");
    }
    if (anchor != 0) {
      if (!pay(node)) return;
      anchors_[anchor] = node;
    }
    if (stack_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = stack_.back();
    if (parent.node.kind == Node::Kind::list) {
      parent.node.children.push_back(std::move(node));
    } else if (parent.has_key) {
      take_value(parent, std::move(node));
    } else {
      take_key(parent, node);
    }
  }

  void take_key(Open& parent, const Node& key) {
    parent.has_key = true;
    parent.drop_value = true;
    if (key.kind != Node::Kind::scalar) {
      problems_.add(key.place, "a key must be text");
      return;
    }
    if (key.text == "<<" && !key.quoted) {
      problems_.add(key.place, "merge keys (<<) are not supported: write the entries out");
      return;
    }
    const auto [seen, fresh] = parent.lines.try_emplace(key.text, key.place.line);
    if (!fresh) {
      problems_.add(key.place, "duplicate key " + quote(key.text) + " (first at line " +
                                   std::to_string(seen->second) + ")");
      return;
    }
    parent.drop_value = false;
    parent.key = key.text;
    parent.key_place = key.place;
  }

  static void take_value(Open& parent, Node node) {
    parent.has_key = false;
    if (parent.drop_value) return;
    node.key = std::move(parent.key);
    node.key_place = parent.key_place;
    parent.node.children.push_back(std::move(node));
  }

  std::uint32_t file_;
  Budget& budget_;
  Problems& problems_;
  Node root_;
  std::vector<Open> stack_;
  std::map<YAML::anchor_t, Node> anchors_;
  bool broken_ = false;
};

// Empty documents, and a second one, which would otherwise be ignored.
std::optional<Node> parse_events(std::string_view text, std::uint32_t file, Budget& budget,
                                 Problems& problems) {
  std::istringstream stream{std::string(text)};
  YAML::Parser parser(stream);
  Builder builder(file, budget, problems);
  if (!parser.HandleNextDocument(builder)) {
    Node empty;
    empty.kind = Node::Kind::mapping;
    empty.place = {file, 1, 1};
    return empty;
  }
  if (builder.broken()) return std::nullopt;
  Node root = builder.take_root();
  Builder second(file, budget, problems);
  if (parser.HandleNextDocument(second)) {
    problems.add(second.take_root().place, "a second YAML document: one file holds one");
  }
  if (root.kind == Node::Kind::null) root.kind = Node::Kind::mapping;
  return root;
}

// `{api_key: ${NAME}}` is the likeliest syntax error of this format: the first } ends the mapping.
bool has_bare_variable(std::string_view text, int line) {
  for (; line > 0; --line)
    text.remove_prefix(std::min(text.size(), text.find('\n') + 1));
  text = text.substr(0, text.find('\n'));
  const std::size_t variable = text.find("${");
  return variable != text.npos && text.substr(0, variable).find_first_of("{[") != text.npos;
}

}  // namespace

const Node* Node::find(std::string_view name) const {
  for (const Node& child : children) {
    if (child.key == name) return &child;
  }
  return nullptr;
}

bool Budget::take(std::size_t text_bytes) {
  if (nodes == 0 || bytes < text_bytes) return false;
  --nodes;
  bytes -= text_bytes;
  return true;
}

std::optional<Node> parse_yaml(std::string_view text, std::uint32_t file, Budget& budget,
                               Problems& problems) {
  if (const auto bad = find_bad_text(text)) {
    problems.add({file, bad->line, bad->column}, std::string(bad->what));
    return std::nullopt;
  }
  try {
    return parse_events(text, file, budget, problems);
  } catch (const YAML::DeepRecursion& error) {
    problems.add({file, error.mark.line + 1, error.mark.column + 1}, too_deep());
  } catch (const YAML::ParserException& error) {
    std::string message = "YAML syntax: " + error.msg;
    if (has_bare_variable(text, error.mark.line)) {
      message += " (inside { } and [ ] a ${NAME} must stand in quotes)";
    }
    problems.add({file, error.mark.line + 1, error.mark.column + 1}, std::move(message));
  } catch (const std::exception&) {
    // Whatever else a parser of untrusted text may throw must not end the process.
    problems.add({file, 1, 1}, "YAML syntax: the file cannot be read as YAML");
  }
  return std::nullopt;
}

}  // namespace tollgate::config
