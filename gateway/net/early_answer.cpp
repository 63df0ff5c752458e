#include "gateway/net/early_answer.hpp"

#include "gateway/net/tls.hpp"

namespace tollgate::net {
namespace {

constexpr std::size_t long_write = 64 * 1024;  // less fits into the socket's buffer at once

bool is_long(std::span<const std::string_view> request) {
  std::size_t total = 0;
  for (std::string_view part : request)
    total += part.size();
  return total > long_write;
}

}  // namespace

EarlyAnswer::EarlyAnswer(Stream& stream, std::span<const std::string_view> request) {
  if (!is_long(request) || dynamic_cast<TlsStream*>(&stream) != nullptr) return;
  alarm_.emplace(stream.descriptor(), [&stream] { stream.wake_write(); });
}

}  // namespace tollgate::net
