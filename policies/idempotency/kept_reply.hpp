// A finished reply as bytes, to be kept where other replicas find it, and back. Pure; used on the
// call's worker.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "policies/idempotency/reply_log.hpp"

namespace tollgate::policies {

/// The reply of a log that is done, with head, frames and error.
[[nodiscard]] std::string write_kept(const ReplyLog& log);
/// A log that is done and holds that reply; nullptr: the bytes were not written by this version.
[[nodiscard]] std::shared_ptr<ReplyLog> read_kept(std::string_view bytes);

}  // namespace tollgate::policies
