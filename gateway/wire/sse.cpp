#include "gateway/wire/sse.hpp"

#include "gateway/wire/scan.hpp"

namespace tollgate::wire {
namespace {

constexpr std::string_view bom = "\xEF\xBB\xBF";
constexpr std::size_t unfinished = std::string_view::npos;

/// Cuts the first line off `text`, its end (LF, CRLF or CR) included, and returns it without.
std::string_view cut_line(std::string_view& text) {
  const std::size_t end = find_line_end(text);
  const std::string_view line = text.substr(0, end);
  const bool crlf = text.substr(end).starts_with("\r\n");
  text.remove_prefix(end == text.size() ? end : end + (crlf ? 2 : 1));
  return line;
}

struct Field {
  std::string_view name, value;
};

Field split_field(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return {line, {}};
  std::string_view value = line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  return {line.substr(0, colon), value};
}

/// Reads the fields of one event; `joined` is filled when there are several data lines.
SseEvent read_fields(std::string_view bytes, std::string& joined) {
  SseEvent event{.wire = bytes, .event = {}, .data = {}, .has_data = false};
  bool several = false;
  while (!bytes.empty()) {
    const Field field = split_field(cut_line(bytes));
    if (field.name == "event") event.event = field.value;
    if (field.name != "data") continue;
    if (!event.has_data) {
      event.data = field.value;
    } else {
      if (!several) joined = event.data;
      several = true;
      joined += '\n';
      joined += field.value;
    }
    event.has_data = true;
  }
  if (several) event.data = joined;
  return event;
}

constexpr std::string_view event_name = "event: ", data_name = "data: ", blank_line = "\n\n";

/// An event that stands whole at the front and is one line of data, as most are, behind its name or
/// without one. No wire: it is another.
SseEvent one_line(std::string_view text) {
  SseEvent event;
  std::string_view left = text;
  if (left.starts_with(event_name)) {
    const std::string_view line = left.substr(0, find_line_end(left));
    left.remove_prefix(line.size());
    if (!left.starts_with('\n')) return {};
    left.remove_prefix(1);
    event.event = line.substr(event_name.size());
  }
  if (!left.starts_with(data_name)) return {};
  const std::string_view line = left.substr(0, find_line_end(left));
  left.remove_prefix(line.size());
  if (!left.starts_with(blank_line)) return {};
  event.data = line.substr(data_name.size());
  event.has_data = true;
  event.wire = text.substr(0, text.size() - left.size() + blank_line.size());
  return event;
}

std::unexpected<Error> too_large(std::size_t max) {
  return fail(ErrorKind::upstream_error,
              "The provider sent a stream event of more than " + std::to_string(max) + " bytes.");
}

}  // namespace

void SseDecoder::feed(const std::shared_ptr<Block>& block, std::string_view bytes) {
  if (rest_.empty()) {
    block_ = block;
    rest_ = bytes;
    scanned_ = 0;
    return;
  }
  // The caller left events unread: go on where the scan stands, over both.
  const auto both = std::make_shared<Block>(rest_.size() + bytes.size());
  const std::string_view before = both->append(rest_);
  rest_ = {before.data(), before.size() + both->append(bytes).size()};
  block_ = both;
}

/// Offset in rest_ behind the blank line that ends the event, or `unfinished`. A CR ends a line at
/// once, but only the next byte tells whether an LF belongs to it: waiting for that byte makes
/// every split give the same events.
std::size_t SseDecoder::find_end() {
  while (scanned_ < rest_.size()) {
    if (after_cr_) {
      after_cr_ = false;
      if (rest_[scanned_] == '\n') ++scanned_;
      if (blank_) return scanned_;
      continue;
    }
    const std::size_t run = find_line_end(rest_.substr(scanned_));
    if (run > 0) line_empty_ = false;
    scanned_ += run;
    if (scanned_ == rest_.size()) break;
    blank_ = line_empty_;
    line_empty_ = true;
    after_cr_ = rest_[scanned_++] == '\r';
    if (blank_ && !after_cr_) return scanned_;
  }
  return unfinished;
}

Result<bool> SseDecoder::next(Batch& batch, SseEvent& out) {
  const bool fresh = scanned_ == 0 && partial_.empty() && line_empty_ && !after_cr_;
  if (fresh) {
    if (const SseEvent event = one_line(rest_); event.has_data && event.wire.size() <= max_) {
      batch.hold(block_);
      rest_.remove_prefix(event.wire.size());
      first_ = false;
      out = event;
      return true;
    }
  }
  const std::size_t end = find_end();
  if (partial_.size() + (end == unfinished ? rest_.size() : end) > max_) return too_large(max_);
  if (end == unfinished) {
    partial_ += rest_;
    rest_ = {};
    scanned_ = 0;
    block_.reset();
    return false;
  }
  if (!partial_.empty()) return take(store_partial(end, batch), batch, out);
  const std::string_view bytes = rest_.substr(0, end);
  batch.hold(block_);
  rest_.remove_prefix(end);
  scanned_ = 0;
  return take(bytes, batch, out);
}

Result<bool> SseDecoder::finish(Batch& batch, SseEvent& out) {
  if (!rest_.empty()) {
    auto event = next(batch, out);
    if (!event || *event) return event;
  }
  after_cr_ = false;
  line_empty_ = true;
  if (partial_.empty()) return false;
  return take(store_partial(0, batch), batch, out);
}

/// Moves the cut event, completed by `end` bytes of rest_, into the batch.
std::string_view SseDecoder::store_partial(std::size_t end, Batch& batch) {
  partial_ += rest_.substr(0, end);
  rest_.remove_prefix(end);
  scanned_ = 0;
  const std::string_view stored = batch.store(partial_);
  partial_.clear();
  return stored;
}

Result<bool> SseDecoder::take(std::string_view bytes, Batch& batch, SseEvent& out) {
  if (first_ && bytes.starts_with(bom)) bytes.remove_prefix(bom.size());
  first_ = false;
  out = read_fields(bytes, joined_);
  if (out.data.data() == joined_.data()) out.data = batch.store(joined_);
  return !bytes.empty();
}

}  // namespace tollgate::wire
