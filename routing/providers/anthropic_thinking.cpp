// Reasoning effort and thinking, by what the model's generation takes.
#include <algorithm>
#include <array>

#include "gateway/wire/json_view.hpp"
#include "gateway/wire/json_writer.hpp"
#include "routing/providers/anthropic_request.hpp"

namespace tollgate::routing::anthropic {
namespace {

constexpr std::int64_t budget_min = 1024;

struct Level {
  std::string_view name, effort;
  std::int64_t budget;  ///< tokens, for models that take no effort
};
constexpr std::array levels{Level{"minimal", "low", 1024},   Level{"low", "low", 1024},
                            Level{"medium", "medium", 4096}, Level{"high", "high", 16384},
                            Level{"xhigh", "xhigh", 32768},  Level{"max", "max", 49152}};

/// What the client asked for, in either spelling.
struct Wish {
  enum class Mode : std::uint8_t { silent, off, on } mode = Mode::silent;
  std::string_view field;              ///< that said so
  std::optional<std::int64_t> budget;  ///< the client's own; effort only suggests one
  std::string display;
  const Level* level = nullptr;
};

Result<void> read_effort(const std::string& effort, Wish& wish) {
  if (effort.empty()) return {};
  wish.field = "reasoning_effort";
  if (effort == "none") {
    wish.mode = Wish::Mode::off;
    return {};
  }
  const auto level = std::ranges::find(levels, effort, &Level::name);
  if (level == levels.end()) {
    return fail(ErrorKind::invalid_request,
                "reasoning_effort must be none, minimal, low, medium, "
                "high, xhigh or max",
                "reasoning_effort");
  }
  wish.mode = Wish::Mode::on;
  wish.level = level;
  return {};
}

/// Anthropic's own field wins over what an effort would mean.
Result<void> read_native(const std::string& json, Wish& wish) {
  if (json.empty()) return {};
  const wire::JsonView view(json);
  const std::string type = view["type"].string();
  wish.field = "thinking";
  wish.display = view["display"].string();
  wish.mode = type == "disabled" ? Wish::Mode::off : Wish::Mode::on;
  if (type == "enabled") wish.budget = view["budget_tokens"].integer();
  if (type == "disabled" || type == "adaptive" || wish.budget) return {};
  return fail(ErrorKind::invalid_request,
              "thinking must be disabled, adaptive, or enabled with budget_tokens", "thinking");
}

bool has_signed_thinking(const Message& message) {
  return std::ranges::any_of(message.thinking, [](const ThinkingBlock& block) {
    return !block.signature.empty() || !block.redacted.empty();
  });
}

/// With a budget, the tool turn that goes on must begin with its thinking. A client that did not
/// keep it (or got it from another provider) can only go on without.
bool resumes_without_thinking(const ChatRequest& request) {
  bool calls = false;
  for (auto message = request.messages.rbegin(); message != request.messages.rend(); ++message) {
    if (message->role == Role::user && calls) break;
    if (message->role != Role::assistant) continue;
    if (has_signed_thinking(*message)) return false;
    calls = calls || !message->tool_calls.empty();
    if (!calls) return false;
  }
  return calls;
}

std::string enabled_json(std::int64_t budget, const std::string& display) {
  std::string json;
  wire::JsonWriter w(json);
  w.begin_object().member("type", "enabled").member("budget_tokens", budget);
  if (!display.empty()) w.member("display", display);
  w.end_object();
  return json;
}

std::string adaptive_json(const std::string& display) {
  std::string json;
  wire::JsonWriter w(json);
  w.begin_object().member("type", "adaptive");
  w.member("display", display.empty() ? std::string("summarized") : display).end_object();
  return json;
}

/// The budget that fits under `limit` and leaves a quarter of it to the answer; 0: none does.
std::int64_t fit_budget(const Wish& wish, std::int64_t limit) {
  constexpr std::int64_t usual = 4096;
  const std::int64_t room = limit - limit / 4;
  if (wish.budget && *wish.budget < limit) return std::max(*wish.budget, budget_min);
  const std::int64_t asked =
      wish.budget.value_or(wish.level != nullptr ? wish.level->budget : usual);
  const std::int64_t budget = std::min(asked, room);
  return budget < budget_min ? 0 : budget;
}

class Planner {
 public:
  Planner(const ChatRequest& request, const ModelTraits& traits, std::int64_t limit, Notes& notes)
      : request_(request), traits_(traits), limit_(limit), notes_(notes) {}

  Result<ThinkingPlan> plan(bool forced_tool) {
    if (auto read = read_effort(request_.reasoning_effort, wish_); !read) {
      return std::unexpected(read.error());
    }
    if (auto read = read_native(request_.thinking_json, wish_); !read) {
      return std::unexpected(read.error());
    }
    if (takes_effort() && wish_.level != nullptr) plan_.effort = effort();
    auto done = wish_.mode == Wish::Mode::on ? turn_on(forced_tool) : turn_off(forced_tool);
    if (!done) return std::unexpected(done.error());
    return std::move(plan_);
  }

 private:
  [[nodiscard]] bool takes_effort() const { return traits_.thinking >= Thinking::either; }
  [[nodiscard]] std::string effort() const {
    const std::string_view name = wish_.level->effort;
    return std::string(name == "xhigh" && !traits_.effort_xhigh ? "high" : name);
  }

  Result<void> turn_on(bool forced_tool) {
    if (traits_.thinking == Thinking::none) return notes_.drop(wish_.field);
    // A forced tool and thinking exclude each other; the tool is what the client insists on.
    if (forced_tool) return give_up();
    const bool adaptive = traits_.thinking == Thinking::adaptive ||
                          (traits_.thinking == Thinking::either && !wish_.budget);
    return adaptive ? turn_on_adaptive() : turn_on_budget();
  }

  Result<void> turn_on_adaptive() {
    plan_.on = true;
    plan_.json = adaptive_json(wish_.display);
    if (!wish_.budget) return {};
    return notes_.drop("thinking.budget_tokens");
  }

  Result<void> turn_on_budget() {
    const std::int64_t budget = fit_budget(wish_, limit_);
    if (budget == 0 || budget >= limit_ || resumes_without_thinking(request_)) return give_up();
    plan_.on = true;
    plan_.json = enabled_json(budget, wish_.display);
    return {};
  }

  /// Without thinking after all. Where the effort itself was sent nothing is lost but the view.
  Result<void> give_up() {
    if (plan_.effort.empty() || wish_.field == "thinking") {
      if (auto named = notes_.drop(wish_.field); !named) return named;
    }
    disable();
    return {};
  }

  Result<void> turn_off(bool forced_tool) {
    const bool asked = wish_.mode == Wish::Mode::off;
    if (traits_.thinking == Thinking::none) return {};
    plan_.on = traits_.thinks_unasked && !asked && !forced_tool;
    if (asked || (forced_tool && traits_.thinks_unasked)) disable();
    return {};
  }

  void disable() {
    plan_.json = R"({"type":"disabled"})";
    const bool high = plan_.effort == "xhigh" || plan_.effort == "max";
    if (traits_.disabled_caps_effort && high) plan_.effort = "high";
  }

  const ChatRequest& request_;
  const ModelTraits& traits_;
  std::int64_t limit_;
  Notes& notes_;
  Wish wish_;
  ThinkingPlan plan_;
};

}  // namespace

Result<ThinkingPlan> plan_thinking(const ChatRequest& request, const ModelTraits& traits,
                                   std::int64_t limit, bool forced_tool, Notes& notes) {
  return Planner(request, traits, limit, notes).plan(forced_tool);
}

}  // namespace tollgate::routing::anthropic
