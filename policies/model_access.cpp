#include <string>

#include "policies/registry.hpp"

namespace tollgate::policies {
namespace {

/// The allowlists of the key and of its tenant. Asked before anything is counted or reserved, and
/// again for every model that a call falls back to.
struct ModelAccess final : Policy {
  Awaitable<Result<Admission>> admit(Request& request) const override {
    auto judged = judge(request);
    if (!*judged) co_return std::unexpected(judged->error());
    co_return Admission{};
  }
  [[nodiscard]] std::optional<Result<void>> judge(const Request& request) const override {
    if (may_use(request.key, request.call.outcome.model_asked)) return Result<void>{};
    return fail(ErrorKind::model_not_allowed,
                "This key may not use the model '" + request.call.outcome.model_asked + "'.",
                "model");
  }
};

}  // namespace

std::unique_ptr<Policy> model_access() { return std::make_unique<ModelAccess>(); }

}  // namespace tollgate::policies
