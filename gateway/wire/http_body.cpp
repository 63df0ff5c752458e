#include "gateway/wire/http_body.hpp"

#include <algorithm>

namespace tollgate::wire {
namespace {

constexpr std::uint64_t size_max = 1ULL << 62U;
constexpr std::string_view line_end = "\r\n";
constexpr std::size_t digits_max = 16;
constexpr std::size_t extension_max = 256;
constexpr std::size_t trailer_max = 8U << 10U;

constexpr int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::unexpected<Error> bad_chunk(std::string_view problem) {
  return fail(ErrorKind::invalid_request,
              "The chunked body is malformed: " + std::string(problem) + ".");
}

struct SizeLine {
  std::size_t bytes = 0;  // with its end; 0: none, or one to be looked at byte by byte
  std::uint64_t size = 0;
};

SizeLine plain_size_line(std::string_view input) {
  constexpr std::size_t usual_digits = 8;
  SizeLine line;
  while (line.bytes < std::min(usual_digits, input.size())) {
    const int digit = hex_digit(input[line.bytes]);
    if (digit < 0) break;
    line.size = line.size << 4U | static_cast<std::uint64_t>(digit);
    ++line.bytes;
  }
  if (line.bytes == 0 || !input.substr(line.bytes).starts_with(line_end)) return {};
  line.bytes += line_end.size();
  return line;
}

/// Control characters have no business in an extension or trailer; a bare LF is the smuggler's.
constexpr bool is_control(char c) {
  return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F;
}

}  // namespace

Result<ChunkedDecoder::Step> ChunkedDecoder::next(std::string_view input) {
  Step step;
  while (step.consumed < input.size() && state_ != State::done) {
    // Most framing is read at once: the end of a chunk, and a size that nothing is odd about.
    const std::string_view rest = input.substr(step.consumed);
    if (state_ == State::data_cr && rest.starts_with(line_end)) {
      state_ = State::size;
      step.consumed += line_end.size();
      continue;
    }
    if (state_ == State::size && digits_ == 0) {
      if (const SizeLine line = plain_size_line(rest); line.bytes > 0) {
        left_ = line.size;
        state_ = left_ == 0 ? State::trailer : State::data;
        step.consumed += line.bytes;
        continue;
      }
    }
    if (state_ == State::data) {
      step.data = rest.substr(0, std::min<std::uint64_t>(left_, rest.size()));
      step.consumed += step.data.size();
      left_ -= step.data.size();
      if (left_ == 0) state_ = State::data_cr;
      return step;
    }
    if (auto taken = take(input[step.consumed]); !taken) return std::unexpected(taken.error());
    ++step.consumed;
  }
  step.done = state_ == State::done;
  return step;
}

/// One byte of framing.
Result<void> ChunkedDecoder::take(char c) {
  switch (state_) {
    case State::size:
      return take_size(c);
    case State::extension:
      if (c == '\r') {
        state_ = State::size_lf;
        return {};
      }
      if (is_control(c)) return bad_chunk("a control character in a chunk extension");
      if (++line_ > extension_max) return bad_chunk("a chunk extension is too long");
      return {};
    case State::size_lf:
      if (c != '\n') return bad_chunk("a chunk size line ends in a bare CR");
      state_ = left_ == 0 ? State::trailer : State::data;
      line_ = digits_ = 0;
      return {};
    case State::data_cr:
      if (c != '\r') return bad_chunk("CRLF was expected behind a chunk");
      state_ = State::data_lf;
      return {};
    case State::data_lf:
      if (c != '\n') return bad_chunk("CRLF was expected behind a chunk");
      state_ = State::size;
      return {};
    case State::trailer:
      return take_trailer(c);
    case State::data:
    case State::done:
      break;
  }
  return {};
}

Result<void> ChunkedDecoder::take_size(char c) {
  if (const int digit = hex_digit(c); digit >= 0) {
    if (++digits_ > digits_max) return bad_chunk("a chunk size has too many digits");
    left_ = left_ << 4U | static_cast<std::uint64_t>(digit);
    return {};
  }
  if (digits_ == 0) return bad_chunk("a chunk size was expected");
  if (left_ > size_max) return bad_chunk("a chunk is too large");
  if (c != '\r' && c != ';') return bad_chunk("a chunk size is followed by something else");
  state_ = c == ';' ? State::extension : State::size_lf;
  return {};
}

/// Trailers are counted and dropped: nothing behind the body may change what was decided on the
/// head.
Result<void> ChunkedDecoder::take_trailer(char c) {
  if (++trailer_bytes_ > trailer_max) return bad_chunk("the trailers are too long");
  if (saw_cr_) {
    if (c != '\n') return bad_chunk("a bare CR in a trailer");
    saw_cr_ = false;
    if (line_ == 0) state_ = State::done;
    line_ = 0;
    return {};
  }
  if (c == '\r') {
    saw_cr_ = true;
    return {};
  }
  if (is_control(c)) return bad_chunk("a control character in a trailer");
  ++line_;
  return {};
}

}  // namespace tollgate::wire
