// Kinds: what a provider of each kind says when it is asked for "Hello", in pieces as they are
// read: of a stream the first one holds no content, the second "Hel", the third "lo". A test that
// uses it fails when a kind of the registry is missing here.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::app::test {

struct KindReply {
  std::string_view kind;
  std::vector<std::string> stream, whole;
};

/// One for each kind of the registry.
[[nodiscard]] const std::vector<KindReply>& kind_replies();

}  // namespace tollgate::app::test
