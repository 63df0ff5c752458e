// EarlyAnswer: ends a long write when the peer answers before it has read all of the request and
// then reads no more; both sides would wait for each other. For plain connections: a TLS peer's
// session tickets look the same. Lives for the length of one write.
#pragma once
#include <optional>
#include <span>
#include <string_view>

#include "gateway/net/stream.hpp"

namespace tollgate::net {

class EarlyAnswer {
 public:
  EarlyAnswer(Stream& stream, std::span<const std::string_view> request);
  EarlyAnswer(const EarlyAnswer&) = delete;
  EarlyAnswer& operator=(const EarlyAnswer&) = delete;

 private:
  std::optional<Descriptor::Alarm> alarm_;
};

}  // namespace tollgate::net
