#include "config/expand.hpp"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

#include "config/text_check.hpp"

namespace tollgate::config {
namespace {

constexpr std::size_t secret_file_bytes_max = 1U << 20U;

bool is_variable_name(std::string_view name) {
  const auto fits = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
  };
  return !name.empty() && std::isdigit(static_cast<unsigned char>(name.front())) == 0 &&
         std::all_of(name.begin(), name.end(), fits);
}

struct Descriptor {
  int number;
  explicit Descriptor(int n) : number(n) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number >= 0) ::close(number);
  }
};

std::optional<std::string> read_all(int descriptor, std::size_t bytes_max, std::string& error) {
  std::string out;
  char buffer[16384];
  for (;;) {
    const ssize_t got = ::read(descriptor, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      error = std::strerror(errno);
      return std::nullopt;
    }
    if (got == 0) return out;
    out.append(buffer, static_cast<std::size_t>(got));
    if (out.size() > bytes_max) {
      error = "larger than " + std::to_string(bytes_max >> 20U) + " MiB";
      return std::nullopt;
    }
  }
}

}  // namespace

std::optional<std::string> read_regular_file(const std::string& path, std::size_t bytes_max,
                                             std::string& error) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status{};
  if (file.number < 0 || ::fstat(file.number, &status) != 0) {
    error = std::strerror(errno);
    return std::nullopt;
  }
  if (!S_ISREG(status.st_mode)) {
    error = "not a regular file";
    return std::nullopt;
  }
  return read_all(file.number, bytes_max, error);
}

std::string relative_to(const std::string& from, const std::string& path) {
  const std::filesystem::path wanted(path);
  if (wanted.is_absolute()) return path;
  return (std::filesystem::path(from).parent_path() / wanted).string();
}

void Expander::expand(Node& node) {
  if (node.kind == Node::Kind::scalar) expand_scalar(node);
  for (Node& child : node.children)
    expand(child);
}

void Expander::expand_scalar(Node& node) {
  const std::string_view text = node.text;
  if (text.find('$') == std::string_view::npos) return;
  if (is_variable_name(text.substr(1)) && text.front() == '$') {
    node.unusable = true;
    return problems_.add(node.place, "write ${NAME} for a variable and $$ for a dollar");
  }
  std::string out;
  bool expanded = false;
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view rest = text.substr(at);
    if (rest.starts_with("$$")) {
      out += '$';
      at += 2;
    } else if (rest.starts_with("${")) {
      const std::size_t end = rest.find('}');
      if (end == std::string_view::npos) {
        node.unusable = true;
        return problems_.add(node.place, "${ without its closing }");
      }
      const auto value = value_of(node, rest.substr(2, end - 2));
      if (value) {
        out += *value;
      } else {
        node.unusable = true;
      }
      expanded = true;
      at += end + 1;
    } else {
      out += rest.front();
      ++at;
    }
  }
  node.expanded = node.expanded || expanded;
  node.text = std::move(out);
}

std::optional<std::string> Expander::value_of(const Node& node, std::string_view inside) {
  if (inside.starts_with("file:")) return file_text(node, inside.substr(5));
  const std::size_t cut = inside.find(":-");
  const std::string name(inside.substr(0, cut));
  if (!is_variable_name(name)) {
    problems_.add(node.place, "${" + std::string(inside.substr(0, 40)) +
                                  "} is none of ${NAME}, ${NAME:-default} and ${file:path}");
    return std::nullopt;
  }
  auto value = surroundings_.environment ? surroundings_.environment(name) : std::nullopt;
  const bool has_default = cut != std::string_view::npos;
  if (has_default && (!value || value->empty())) value = std::string(inside.substr(cut + 2));
  if (!value) {
    problems_.add(node.place, "the environment has no variable " + name + " (${" + name +
                                  ":-default} would do without)");
  } else if (find_bad_text(*value) || !budget_.take(value->size())) {
    problems_.add(node.place, "the value of " + name + " is not plain text");
    return std::nullopt;
  }
  return value;
}

std::optional<std::string> Expander::file_text(const Node& node, std::string_view named) {
  const std::string path = relative_to(problems_.file(node.place.file), std::string(named));
  auto known = texts_.find(path);
  if (known == texts_.end()) {
    files_.push_back(path);
    std::string error;
    auto text = read_regular_file(path, secret_file_bytes_max, error);
    if (!text) {
      problems_.add(node.place, "cannot read " + quote(path) + ": " + error);
      return std::nullopt;
    }
    if (text->ends_with('\n')) text->pop_back();
    if (text->ends_with('\r')) text->pop_back();
    known = texts_.emplace(path, std::move(*text)).first;
  }
  if (find_bad_text(known->second) || !budget_.take(known->second.size())) {
    problems_.add(node.place, "the content of " + quote(path) + " is not plain text");
    return std::nullopt;
  }
  return known->second;
}

}  // namespace tollgate::config
