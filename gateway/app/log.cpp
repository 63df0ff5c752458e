#include "gateway/app/log.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "gateway/wire/json_writer.hpp"

namespace tollgate::app {
namespace {

/// `%*` in a pattern: the message as a JSON string.
class JsonMessage final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& out) override {
    std::string text;
    wire::append_quoted(text, {message.payload.data(), message.payload.size()});
    out.append(text.data(), text.data() + text.size());
  }
  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<JsonMessage>();
  }
};

spdlog::sink_ptr make_sink(const std::string& output) {
  if (output == "stdout") return std::make_shared<spdlog::sinks::stdout_sink_mt>();
  if (output == "stderr") return std::make_shared<spdlog::sinks::stderr_sink_mt>();
  return std::make_shared<spdlog::sinks::basic_file_sink_mt>(output);
}

}  // namespace

Result<std::unique_ptr<Log>> Log::open(const config::LogConfig& config) {
  try {
    auto logger = std::make_shared<spdlog::logger>("tollgate", make_sink(config.output));
    auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
    formatter->add_flag<JsonMessage>('*');
    formatter->set_pattern(config.format == "json"
                               ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","message":%*})"
                               : "%Y-%m-%dT%H:%M:%S.%eZ %l %v");
    logger->set_formatter(std::move(formatter));
    logger->flush_on(spdlog::level::info);
    std::unique_ptr<Log> log(new Log(std::move(logger)));
    log->set_level(config.level);
    return log;
  } catch (const spdlog::spdlog_ex& failed) {
    return fail(ErrorKind::internal, std::string("cannot open the log: ") + failed.what());
  }
}

Log::Log(std::shared_ptr<spdlog::logger> logger) : logger_(std::move(logger)) {}
Log::~Log() = default;
void Log::debug(std::string_view message) { logger_->debug("{}", message); }
void Log::info(std::string_view message) { logger_->info("{}", message); }
void Log::warn(std::string_view message) { logger_->warn("{}", message); }
void Log::error(std::string_view message) { logger_->error("{}", message); }
void Log::set_level(std::string_view level) {
  logger_->set_level(spdlog::level::from_str(level == "warn" ? "warning" : std::string(level)));
}

}  // namespace tollgate::app
