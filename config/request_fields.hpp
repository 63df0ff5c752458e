// The request fields that `defaults` may fill in: those of the three endpoints and the extensions
// that compatible servers take. A closed list, so that a misspelt one is found when the file is
// read and not in a bill; a target's provider may let further ones through by `allow_fields`.
#pragma once
#include <string_view>
#include <vector>

namespace tollgate::config {

[[nodiscard]] bool is_request_field(std::string_view name);
/// What only the client can say: model, messages, stream, ...
[[nodiscard]] bool is_clients_own_field(std::string_view name);
[[nodiscard]] std::vector<std::string_view> request_fields();

}  // namespace tollgate::config
