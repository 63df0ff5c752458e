#include "gateway/net/early_answer.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include "gateway/net/tls.hpp"

namespace tollgate::net {
namespace {

namespace asio = boost::asio;

constexpr std::size_t long_write = 64 * 1024;  // less fits into the socket's buffer at once

bool is_long(std::span<const std::string_view> request) {
  std::size_t total = 0;
  for (std::string_view part : request)
    total += part.size();
  return total > long_write;
}

}  // namespace

struct EarlyAnswer::Watch {
  asio::cancellation_signal signal;
  Stream* stream = nullptr;  // nullptr: the write is over
};

EarlyAnswer::EarlyAnswer(Stream& stream, std::span<const std::string_view> request) {
  if (!is_long(request) || dynamic_cast<TlsStream*>(&stream) != nullptr) return;
  watch_ = std::make_shared<Watch>();
  watch_->stream = &stream;
  auto readable = [watch = watch_](boost::system::error_code failed) {
    if (!failed && watch->stream != nullptr) watch->stream->wake_write();
  };
  stream.socket().async_wait(asio::socket_base::wait_read,
                             asio::bind_cancellation_slot(watch_->signal.slot(), readable));
}

EarlyAnswer::~EarlyAnswer() {
  if (!watch_) return;
  watch_->stream = nullptr;
  watch_->signal.emit(asio::cancellation_type::total);
}

}  // namespace tollgate::net
