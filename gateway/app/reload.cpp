#include "gateway/app/reload.hpp"

#include <cstdlib>
#include <filesystem>
#include <sys/stat.h>

#include "routing/provider.hpp"

namespace tollgate::app {
namespace {

Reloader::Report failed(const std::vector<config::Problem>& problems) {
  Reloader::Report report;
  for (const config::Problem& problem : problems)
    report.problems.push_back(problem.text());
  return report;
}

void refuse_exposure(config::Loaded& loaded) {
  for (std::string& message : config::exposure_problems(*loaded.config)) {
    loaded.problems.push_back({loaded.config->source, 0, 0, std::move(message)});
  }
  if (!loaded.problems.empty()) loaded.config.reset();
}

double unix_now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

std::string file_identity(const std::vector<std::string>& files) {
  std::string identity;
  for (const std::string& file : files) {
    std::error_code error;
    // The real path changes when a symlink on the way is switched, even if the file looks the same.
    identity += std::filesystem::canonical(file, error).string();
    struct stat info{};
    if (::stat(file.c_str(), &info) == 0) {
      identity += ':' + std::to_string(info.st_dev) + ':' + std::to_string(info.st_ino) + ':' +
                  std::to_string(info.st_size) + ':' + std::to_string(info.st_mtim.tv_sec) + '.' +
                  std::to_string(info.st_mtim.tv_nsec);
    }
    identity += '\n';
  }
  return identity;
}

config::Surroundings real_surroundings() {
  config::Surroundings surroundings;
  surroundings.environment = [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
  for (const routing::Provider* provider : routing::providers()) {
    surroundings.provider_kinds.emplace_back(provider->kind());
    if (!provider->needs_api_key()) {
      surroundings.kinds_without_key.emplace_back(provider->kind());
    }
  }
  return surroundings;
}

Reloader::Reloader(std::optional<std::string> path, std::function<void(config::Config&)> adjust)
    : path_(std::move(path)), adjust_(std::move(adjust)) {}

config::Loaded Reloader::load() {
  config::Loaded loaded =
      path_ ? config::load_file(*path_, real_surroundings())
            : config::load_text(config::shipped_default(), "(built in)", real_surroundings());
  watched_ = loaded.files;
  if (path_ && watched_.empty()) watched_.push_back(*path_);
  if (loaded.config) adjust_(*loaded.config);
  // The command line may have replaced the address that the file was checked with.
  if (loaded.config) refuse_exposure(loaded);
  identity_ = file_identity(watched_);
  return loaded;
}

Reloader::Report Reloader::load_first() {
  config::Loaded loaded = load();
  if (!loaded.config) return failed(loaded.problems);
  plan_ = std::make_shared<Plan>(std::move(*loaded.config));
  Report report;
  report.ok = true;
  report.notes = std::move(loaded.notes);
  return report;
}

void Reloader::prepare_with(Prepare prepare) {
  prepare_ = std::move(prepare);
  prepare_(*plan_);
}

void Reloader::attach(Log& log, Metrics& metrics,
                      std::function<void(std::shared_ptr<const Plan>)> publish) {
  log_ = &log;
  metrics_ = &metrics;
  publish_ = std::move(publish);
  tell({.ok = true, .problems = {}, .notes = {}, .restart_required = {}}, {});
}

Reloader::Report Reloader::reload(std::string_view why) {
  if (!path_) {
    Report report;
    report.ok = true;
    report.notes.emplace_back("running the built-in default: there is no file to reload");
    log_->info(report.notes.front());
    return report;
  }
  config::Loaded loaded = load();
  Report report;
  if (loaded.config) {
    report.ok = true;
    report.notes = std::move(loaded.notes);
    report.restart_required = config::restart_required(plan_->config, *loaded.config);
    plan_ = std::make_shared<Plan>(std::move(*loaded.config));
    if (prepare_) prepare_(*plan_);
    publish_(plan_);
  } else {
    report = failed(loaded.problems);
  }
  tell(report, why);
  return report;
}

void Reloader::tell(const Report& report, std::string_view why) {
  metrics_->gauge("tollgate_config_reload_success",
                  "1 when the configuration in use is the one in the file.", report.ok ? 1 : 0);
  if (report.ok) {
    metrics_->gauge("tollgate_config_reload_timestamp_seconds",
                    "When the configuration in use was loaded, Unix time.", unix_now());
  }
  if (why.empty()) return;
  if (!report.ok) {
    log_->error("configuration not reloaded (" + std::string(why) + "), the old one stays in use");
    for (const std::string& problem : report.problems)
      log_->error(problem);
    return;
  }
  log_->info("configuration reloaded (" + std::string(why) + ")");
  for (const std::string& note : report.notes)
    log_->warn(note);
  for (const std::string& key : report.restart_required) {
    log_->warn("restart_required: " + key + " changed and takes effect at the next start");
  }
}

void Reloader::poll() {
  if (!path_ || watched_.empty()) return;
  if (file_identity(watched_) != identity_) reload("file changed");
}

}  // namespace tollgate::app
