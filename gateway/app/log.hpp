// Log: the process's own log lines (start, reload, drain, bugs), JSON or text, over spdlog.
// Never given prompts, keys or bodies. Any thread.
#pragma once
#include <memory>
#include <string_view>

#include "config/config.hpp"
#include "gateway/core/error.hpp"

namespace spdlog {
class logger;
}

namespace tollgate::app {

class Log {
 public:
  /// Opens the configured output. Error text when the file cannot be opened.
  static Result<std::unique_ptr<Log>> open(const config::LogConfig& config);
  ~Log();
  void debug(std::string_view message);
  void info(std::string_view message);
  void warn(std::string_view message);
  void error(std::string_view message);
  void set_level(std::string_view level);

 private:
  explicit Log(std::shared_ptr<spdlog::logger> logger);
  std::shared_ptr<spdlog::logger> logger_;
};

}  // namespace tollgate::app
