#include "bench/reply_reader.hpp"

#include <algorithm>
#include <charconv>
#include <strings.h>

namespace tollgate::bench {
namespace {

constexpr std::size_t head_bytes_max = 64 * 1024;

bool starts_with_name(std::string_view line, std::string_view name) {
  return line.size() >= name.size() && ::strncasecmp(line.data(), name.data(), name.size()) == 0;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
    text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\r'))
    text.remove_suffix(1);
  return text;
}

bool number(std::string_view text, std::uint64_t& out, int base) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, base);
  return error == std::errc{} && end != text.data();
}

}  // namespace

void ReplyReader::restart() { *this = ReplyReader{}; }

std::size_t ReplyReader::feed(std::string_view bytes, std::string& body) {
  std::size_t used = 0;
  while (used < bytes.size() && !done() && !bad()) {
    const std::string_view rest = bytes.substr(used);
    switch (state_) {
      case State::head:
        used += take_head(rest);
        break;
      case State::length:
      case State::chunk_data:
        used += take_data(rest, body);
        break;
      default:
        used += take_line(rest);
        break;
    }
  }
  return used;
}

std::size_t ReplyReader::take_head(std::string_view bytes) {
  const std::size_t before = line_.size();
  line_ += bytes;
  const std::size_t end = line_.find("\r\n\r\n", before < 3 ? 0 : before - 3);
  if (end == line_.npos) {
    if (line_.size() > head_bytes_max) state_ = State::bad;
    return bytes.size();
  }
  std::string_view head = std::string_view(line_).substr(0, end);
  std::uint64_t status = 0;
  if (!head.starts_with("HTTP/1.1 ") || head.size() < 12 || !number(head.substr(9, 3), status, 10))
    return state_ = State::bad, bytes.size();
  status_ = static_cast<int>(status);
  for (std::size_t at = head.find("\r\n"); at != head.npos; at = head.find("\r\n")) {
    head.remove_prefix(at + 2);
    head_line(head.substr(0, head.find("\r\n")));
  }
  line_.clear();
  if (chunked_)
    state_ = State::chunk_size;
  else
    state_ = !has_length_ ? State::bad : left_ == 0 ? State::done : State::length;
  return end + 4 - before;
}

void ReplyReader::head_line(std::string_view line) {
  const std::string_view value = trimmed(line.substr(std::min(line.size(), line.find(':') + 1)));
  if (starts_with_name(line, "content-length:")) has_length_ = number(value, left_, 10);
  if (starts_with_name(line, "transfer-encoding:")) chunked_ = starts_with_name(value, "chunked");
  if (starts_with_name(line, "connection:")) closes_ = starts_with_name(value, "close");
}

std::size_t ReplyReader::take_data(std::string_view bytes, std::string& body) {
  const std::size_t size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
  body.append(bytes.substr(0, size));
  left_ -= size;
  if (left_ == 0) state_ = state_ == State::length ? State::done : State::chunk_end;
  return size;
}

std::size_t ReplyReader::take_line(std::string_view bytes) {
  const std::size_t end = bytes.find('\n');
  if (end == bytes.npos) {
    line_ += bytes;
    return bytes.size();
  }
  line_ += bytes.substr(0, end);
  const std::string line(trimmed(line_));
  line_.clear();
  whole_line(line);
  return end + 1;
}

void ReplyReader::whole_line(std::string_view line) {
  if (state_ == State::chunk_end) {
    state_ = line.empty() ? State::chunk_size : State::bad;
  } else if (state_ == State::trailer) {
    if (line.empty()) state_ = State::done;
  } else if (!number(line, left_, 16)) {
    state_ = State::bad;
  } else {
    state_ = left_ == 0 ? State::trailer : State::chunk_data;
  }
}

}  // namespace tollgate::bench
