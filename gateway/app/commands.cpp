#include "gateway/app/commands.hpp"

#include <CLI/CLI.hpp>
#include <ostream>

#include "gateway/app/cache_commands.hpp"
#include "gateway/app/explain.hpp"
#include "gateway/app/healthcheck.hpp"
#include "gateway/app/ledger_commands.hpp"
#include "gateway/app/plain_http.hpp"

namespace tollgate::app {
namespace {

constexpr int wrong_usage = 2;
constexpr std::string_view built_in = "(built in)";

config::Loaded load(const std::string& path, const CommandContext& context) {
  if (!path.empty()) return config::load_file(path, context.surroundings);
  return config::load_text(config::shipped_default(), std::string(built_in), context.surroundings);
}

int print_problems(const config::Loaded& loaded, CommandContext& context) {
  for (const config::Problem& problem : loaded.problems)
    context.err << problem.text() << '\n';
  return 1;
}

// One object per command: its options, and what it does once they are read.
class Serve {
 public:
  Serve(CLI::App& app, CommandContext& context) : context_(context) {
    command_ = app.add_subcommand("serve", "Run the gateway in the foreground.");
    command_->add_option("--config", config_, "The YAML file; without one the built-in default.");
    command_->add_option("--listen", listen_, "Address of the API, instead of listen.http.");
  }
  [[nodiscard]] bool chosen() const { return command_->parsed(); }
  int run() {
    ServeOptions options;
    if (!config_.empty()) options.config = config_;
    if (!listen_.empty()) {
      options.listen = config::parse_host_port(listen_);
      if (!options.listen) {
        context_.err << "--listen must be an address such as 127.0.0.1:8080, got \"" << listen_
                     << "\"\n";
        return wrong_usage;
      }
    }
    return context_.serve(options);
  }

 private:
  CommandContext& context_;
  CLI::App* command_;
  std::string config_, listen_;
};

class Check {
 public:
  Check(CLI::App& app, CommandContext& context) : context_(context) {
    command_ = app.add_subcommand("check", "Read a configuration and name every mistake in it.");
    auto* file = command_->add_option("file", file_, "The YAML file.");
    command_->add_option("--config", config_, "The YAML file.")->excludes(file);
  }
  [[nodiscard]] bool chosen() const { return command_->parsed(); }
  int run() {
    const std::string& path = file_.empty() ? config_ : file_;
    if (path.empty()) {
      context_.err << "check needs a file: tollgate check FILE\n";
      return wrong_usage;
    }
    const config::Loaded loaded = load(path, context_);
    if (!loaded.config) return print_problems(loaded, context_);
    context_.out << path << ": ok\n";
    for (const std::string& note : loaded.notes)
      context_.out << "note: " << note << '\n';
    return 0;
  }

 private:
  CommandContext& context_;
  CLI::App* command_;
  std::string file_, config_;
};

class KeyNew {
 public:
  KeyNew(CLI::App& app, CommandContext& context) : context_(context) {
    auto* key = app.add_subcommand("key", "Keys that clients call with.");
    key->require_subcommand(1);
    command_ = key->add_subcommand("new", "Make a key: its secret, and the line for the file.");
    command_->add_option("--tenant", tenant_, "The tenant it is for.")->required();
    command_->add_option("--id", id_, "Its public name, unique in the file; one is made up else.");
  }
  [[nodiscard]] bool chosen() const { return command_->parsed(); }
  int run() {
    if (tenant_.empty() || (!id_.empty() && !config::valid_key_id(id_))) {
      context_.err << (tenant_.empty() ? "--tenant must not be empty\n"
                                       : "--id must begin with a letter or digit and hold at most "
                                         "64 letters, digits, \".\", \"_\" and \"-\"\n");
      return wrong_usage;
    }
    const config::NewKey key = config::make_key(tenant_, id_);
    context_.out << "secret: " << key.secret << '\n' << key.yaml_line << '\n';
    context_.err << "The secret is shown only now; the line goes under tenants." << tenant_
                 << ".keys.\n";
    return 0;
  }

 private:
  CommandContext& context_;
  CLI::App* command_;
  std::string tenant_, id_;
};

class Explain {
 public:
  Explain(CLI::App& app, CommandContext& context) : context_(context) {
    command_ = app.add_subcommand(
        "explain", "Where calls for a model go, at which prices and limits; calls no provider.");
    command_->add_option("--config", config_, "The YAML file; without one the built-in default.");
    command_->add_option("--model", question_.model, "The name a client asks for.")->required();
    command_->add_option("--tenant", question_.tenant,
                         "Whether this tenant may use it, at which limits.");
  }
  [[nodiscard]] bool chosen() const { return command_->parsed(); }
  int run() {
    const config::Loaded loaded = load(config_, context_);
    if (!loaded.config) return print_problems(loaded, context_);
    question_.now = std::chrono::system_clock::now();
    ask_running(*loaded.config);
    const Explanation explanation = explain(*loaded.config, question_);
    (explanation.found ? context_.out : context_.err) << explanation.text;
    return explanation.found ? 0 : 1;
  }

 private:
  void ask_running(const config::Config& config) {
    PlainAnswer answer = ask_plain({.address = *config.listen.admin,
                                    .method = "GET",
                                    .path = "/admin/targets",
                                    .token = config.listen.admin_token.value,
                                    .body = {}});
    if (answer.status == 200) {
      question_.targets = std::move(answer.body);
    } else {
      question_.silence =
          answer.wrong.empty() ? "status " + std::to_string(answer.status) : answer.wrong;
    }
  }

  CommandContext& context_;
  CLI::App* command_;
  std::string config_;
  ExplainQuestion question_;
};

class Schema {
 public:
  Schema(CLI::App& app, CommandContext& context) : context_(context) {
    command_ = app.add_subcommand("schema", "JSON Schema of the file, for editors.");
  }
  [[nodiscard]] bool chosen() const { return command_->parsed(); }
  int run() {
    context_.out << config::schema_json();
    return 0;
  }

 private:
  CommandContext& context_;
  CLI::App* command_;
};

class Healthcheck {
 public:
  Healthcheck(CLI::App& app, CommandContext& context) : context_(context) {
    command_ = app.add_subcommand("healthcheck", "Ask a running gateway; for container probes.");
    auto* file = command_->add_option("--config", config_, "The file that the gateway runs with.");
    command_->add_option("--url", url_, "What to ask instead, http://host:port/healthz.")
        ->excludes(file);
  }
  [[nodiscard]] bool chosen() const { return command_->parsed(); }
  int run() {
    HealthTarget target;
    if (!url_.empty()) {
      const auto parsed = health_target(url_);
      if (!parsed) {
        context_.err << "--url must be like http://127.0.0.1:9902/healthz\n";
        return wrong_usage;
      }
      target = *parsed;
    } else {
      const config::Loaded loaded = load(config_, context_);
      if (!loaded.config) return print_problems(loaded, context_);
      target = health_target(*loaded.config);
    }
    const std::string wrong = ask_health(target);
    if (!wrong.empty()) context_.err << "unhealthy: " << wrong << '\n';
    return wrong.empty() ? 0 : 1;
  }

 private:
  CommandContext& context_;
  CLI::App* command_;
  std::string config_, url_;
};

class LedgerBooks {
 public:
  LedgerBooks(CLI::App& app, CommandContext& context) : context_(context) {
    auto* books = app.add_subcommand("ledger", "What calls used and cost.");
    books->require_subcommand(1);
    export_ = books->add_subcommand("export", "Every call and attempt, a line each.");
    export_->add_option("--format", question_.format, "csv, jsonl or focus (FOCUS 1.2).")
        ->capture_default_str();
    export_->add_option("--from", question_.from, "First day or instant (UTC).");
    export_->add_option("--to", question_.to, "First day or instant that is left out.");
    summary_ = books->add_subcommand("summary", "Calls, tokens and dollars as a table.");
    summary_
        ->add_option("--by", question_.by,
                     "By comma: tenant, key, user, model, provider, endpoint, status, day, "
                     "tag:NAME.")
        ->capture_default_str();
    summary_->add_option("--since", question_.since, "A span such as 7d, or a day.")
        ->capture_default_str();
    verify_ = books->add_subcommand("verify", "Whether rows, attempts and sums agree.");
    for (CLI::App* command : {export_, summary_, verify_})
      command->add_option("--config", config_, "The YAML file; without one the built-in default.");
  }
  [[nodiscard]] bool chosen() const {
    return export_->parsed() || summary_->parsed() || verify_->parsed();
  }
  int run() {
    const config::Loaded loaded = load(config_, context_);
    if (!loaded.config) return print_problems(loaded, context_);
    if (verify_->parsed()) return ledger_verify(*loaded.config, context_.out, context_.err);
    if (summary_->parsed())
      return ledger_summary(*loaded.config, question_, context_.out, context_.err);
    return ledger_export(*loaded.config, question_, context_.out, context_.err);
  }

 private:
  CommandContext& context_;
  CLI::App *export_, *summary_, *verify_;
  std::string config_;
  LedgerQuestion question_;
};

class Cache {
 public:
  Cache(CLI::App& app, CommandContext& context) : context_(context) {
    auto* cache = app.add_subcommand("cache", "Replies that a running gateway keeps.");
    cache->require_subcommand(1);
    command_ = cache->add_subcommand("purge", "Drop them: all, or a tenant's or a model's.");
    auto* tenant = command_->add_option("--tenant", purge_.tenant, "Only those of this tenant.");
    auto* model =
        command_->add_option("--model", purge_.model, "Only those of this model, as in the file.");
    command_->add_flag("--all", all_, "All of them, as without a choice.")
        ->excludes(tenant)
        ->excludes(model);
    command_->add_option("--config", config_, "The file that the gateway runs with.");
  }
  [[nodiscard]] bool chosen() const { return command_->parsed(); }
  int run() {
    const config::Loaded loaded = load(config_, context_);
    if (!loaded.config) return print_problems(loaded, context_);
    return cache_purge(*loaded.config, purge_, context_.out, context_.err);
  }

 private:
  CommandContext& context_;
  CLI::App* command_;
  std::string config_;
  CachePurge purge_;
  bool all_ = false;  // only so that the word may be said
};

// Commands of the contract whose feature this build does not have.
class NotYet {
 public:
  NotYet(CLI::App& app, CommandContext& context) : context_(context) {
    for (const char* name : {"import"}) {
      CLI::App* command = app.add_subcommand(name, "Not supported yet.");
      command->prefix_command();
      commands_.push_back(command);
    }
  }
  [[nodiscard]] bool chosen() const { return parsed() != nullptr; }
  int run() {
    context_.err << "tollgate " << parsed()->get_name() << " is not supported yet\n";
    return wrong_usage;
  }

 private:
  [[nodiscard]] const CLI::App* parsed() const {
    for (const CLI::App* command : commands_) {
      if (command->parsed()) return command;
    }
    return nullptr;
  }
  CommandContext& context_;
  std::vector<CLI::App*> commands_;
};

// CLI11 would only say that a command is missing.
std::string unknown_command(const CLI::App& app, const std::vector<std::string>& arguments) {
  if (arguments.empty() || arguments.front().starts_with('-')) return {};
  std::vector<std::string_view> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (command->check_name(arguments.front())) return {};
    names.emplace_back(command->get_name());
  }
  const std::string_view near = config::suggest(arguments.front(), names);
  std::string out = "unknown command \"" + arguments.front() + "\"";
  if (!near.empty()) (out += " (did you mean \"") += std::string(near) + "\"?)";
  return out + "\n";
}

template <class... Commands>
int run_chosen(Commands&... commands) {
  int code = wrong_usage;
  const auto run = [&code](auto& command) {
    if (command.chosen()) code = command.run();
  };
  (run(commands), ...);
  return code;
}

}  // namespace

int run_command(std::vector<std::string> arguments, CommandContext& context) {
  CLI::App app("Tollgate: one door for many language models.", "tollgate");
  app.set_version_flag("--version", std::string("tollgate ") + TOLLGATE_VERSION);
  app.require_subcommand(1);
  Serve serve(app, context);
  Check check(app, context);
  KeyNew key_new(app, context);
  Explain explain_model(app, context);
  Schema schema(app, context);
  Healthcheck healthcheck(app, context);
  LedgerBooks ledger_books(app, context);
  Cache cache(app, context);
  NotYet not_yet(app, context);
  const std::string unknown = unknown_command(app, arguments);
  if (!unknown.empty()) {
    context.err << unknown;
    return wrong_usage;
  }
  try {
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes a vector
    app.parse(std::move(arguments));
  } catch (const CLI::ParseError& error) {
    return app.exit(error, context.out, context.err) == 0 ? 0 : wrong_usage;
  }
  return run_chosen(serve, check, key_new, explain_model, schema, healthcheck, ledger_books, cache,
                    not_yet);
}

}  // namespace tollgate::app
