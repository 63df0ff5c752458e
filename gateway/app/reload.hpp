// Reloader: from the file to the plan in use, and again whenever it changes. Parse, validate, build
// aside, then hand the plan out; on any error the old plan stays and log and metric say so. Control
// thread only; `publish` posts to the workers.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/load.hpp"
#include "gateway/app/log.hpp"
#include "gateway/app/metrics.hpp"
#include "gateway/app/plan.hpp"

namespace tollgate::app {

/// Identity of the files a configuration was read from: changes when any is edited, replaced, or a
/// symlink on the way to it is switched (as Kubernetes does).
[[nodiscard]] std::string file_identity(const std::vector<std::string>& files);

/// What this process's environment and build offer to the loader.
[[nodiscard]] config::Surroundings real_surroundings();

class Reloader {
 public:
  struct Report {
    bool ok = false;
    std::vector<std::string> problems, notes, restart_required;
  };

  /// `path`: absent for the embedded default. `adjust` applies the command line (`--listen`).
  Reloader(std::optional<std::string> path, std::function<void(config::Config&)> adjust);

  /// Called with every plan before it is published.
  using Prepare = std::function<void(Plan&)>;

  /// The first load; nothing is published, nor prepared. Problems in the report.
  Report load_first();
  /// From now on: what a new plan needs before it serves; the present one gets it at once.
  void prepare_with(Prepare prepare);
  /// From now on reloads go to `publish`, and are told to `log` and `metrics`.
  void attach(Log& log, Metrics& metrics, std::function<void(std::shared_ptr<const Plan>)> publish);
  /// Loads again and publishes when all is well. `why` goes to the log.
  Report reload(std::string_view why);
  /// Reloads when a file has changed since the last load (whether that one succeeded or not).
  void poll();

  [[nodiscard]] std::shared_ptr<const Plan> plan() const { return plan_; }

 private:
  config::Loaded load();
  void tell(const Report& report, std::string_view why);

  std::optional<std::string> path_;
  std::function<void(config::Config&)> adjust_;
  std::shared_ptr<Plan> plan_;
  Prepare prepare_;
  std::vector<std::string> watched_;
  std::string identity_;
  Log* log_ = nullptr;
  Metrics* metrics_ = nullptr;
  std::function<void(std::shared_ptr<const Plan>)> publish_;
};

}  // namespace tollgate::app
