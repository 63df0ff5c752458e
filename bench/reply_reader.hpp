// ReplyReader: follows one HTTP/1.1 reply on a keep-alive connection: head, then a body by length
// or in chunks. As much of the protocol as a load generator needs of proxies that it starts itself;
// whatever it does not understand is `bad`, and the round is void. One thread.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tollgate::bench {

class ReplyReader {
 public:
  /// The next bytes are the first of a reply.
  void restart();
  /// Takes bytes as read and appends what of them is body to `body`; returns how many were used.
  /// Stops at the end of the reply.
  std::size_t feed(std::string_view bytes, std::string& body);
  [[nodiscard]] bool done() const { return state_ == State::done; }
  [[nodiscard]] bool bad() const { return state_ == State::bad; }
  /// Some byte of the reply has come.
  [[nodiscard]] bool begun() const { return state_ != State::head || !line_.empty(); }
  [[nodiscard]] int status() const { return status_; }
  [[nodiscard]] bool closes() const { return closes_; }

 private:
  enum class State { head, length, chunk_size, chunk_data, chunk_end, trailer, done, bad };

  std::size_t take_head(std::string_view bytes);
  std::size_t take_line(std::string_view bytes);
  std::size_t take_data(std::string_view bytes, std::string& body);
  void head_line(std::string_view line);
  void whole_line(std::string_view line);

  State state_ = State::head;
  std::string line_;  // the head, or a line of the chunked framing, while it is not whole
  std::uint64_t left_ = 0;
  int status_ = 0;
  bool chunked_ = false;
  bool has_length_ = false;
  bool closes_ = false;
};

}  // namespace tollgate::bench
