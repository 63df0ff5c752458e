// pause: time that a call lets pass between two attempts; ends at once when the call is given up.
// Used by the ways to a provider and by paced replies, on the worker's thread.
#pragma once
#include <boost/asio/io_context.hpp>

#include "gateway/core/abort.hpp"
#include "gateway/core/clock.hpp"
#include "gateway/core/front.hpp"

namespace tollgate::net {

/// Waits until `until`. Error: the slot's reason, at once when it is aborted.
Awaitable<Result<void>> pause(boost::asio::io_context& io, SteadyTime until, AbortSlot& slot);

}  // namespace tollgate::net
