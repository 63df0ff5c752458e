#include "config/json_tree.hpp"

#include <algorithm>

#include "config/text_check.hpp"
#include "config/values.hpp"

namespace tollgate::config {
namespace {

class Writer {
 public:
  explicit Writer(Problems& problems) : problems_(problems) {}

  bool write(const Node& node) {
    switch (node.kind) {
      case Node::Kind::null:
        out_ += "null";
        return true;
      case Node::Kind::scalar:
        return scalar(node);
      case Node::Kind::list:
        return children(node, '[', ']');
      case Node::Kind::mapping:
        return children(node, '{', '}');
    }
    return false;
  }
  std::string take() { return std::move(out_); }

 private:
  bool scalar(const Node& node) {
    if (node.unusable) return false;
    const Plain plain = node.quoted ? Plain::text : classify(node.text);
    if (plain == Plain::not_json) {
      problems_.add(node.place, "a number must be written as in JSON" +
                                    (node.expanded ? "" : ", got " + quote(node.text)));
      return false;
    }
    if (plain == Plain::boolean) {
      out_ += node.text.starts_with('t') || node.text.starts_with('T') ? "true" : "false";
    } else if (plain == Plain::null) {
      out_ += "null";  // an unquoted expansion that is empty
    } else {
      out_ += plain == Plain::number ? node.text : json_quoted(node.text);
    }
    return true;
  }

  bool children(const Node& node, char open, char close) {
    bool good = true;
    out_ += open;
    for (const Node& child : node.children) {
      if (&child != &node.children.front()) out_ += ',';
      if (open == '{') (out_ += json_quoted(child.key)) += ':';
      good = write(child) && good;
    }
    out_ += close;
    return good;
  }

  Problems& problems_;
  std::string out_;
};

}  // namespace

std::optional<std::string> to_json(const Node& node, Problems& problems) {
  Writer writer(problems);
  if (!writer.write(node)) return std::nullopt;
  return writer.take();
}

}  // namespace tollgate::config
