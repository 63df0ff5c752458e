// demo_reply: prints what the demo model answers to the request on stdin, as JSON: status, headers,
// dies, head_delay_us and the steps with their delays. Arguments: --endpoint, --created SECONDS.
#include <iostream>

#include "gateway/wire/json_writer.hpp"
#include "routing/providers/demo_script.hpp"
#include "tests/golden/tool_args.hpp"

namespace tollgate::golden {
namespace {

int print_script(const routing::DemoScript& script) {
  std::string out;
  wire::JsonWriter w(out);
  w.begin_object().member("status", script.status).key("headers").begin_object();
  for (const auto& [name, value] : script.headers)
    w.member(name, value);
  w.end_object().member("dies", script.dies);
  w.member("head_delay_us", static_cast<std::int64_t>(script.head_delay.count()));
  w.key("steps").begin_array();
  for (const routing::DemoStep& step : script.steps) {
    w.begin_object().member("delay_us", static_cast<std::int64_t>(step.delay.count()));
    w.member("bytes", step.bytes).end_object();
  }
  w.end_array().end_object();
  std::cout << out << "\n";
  return 0;
}

}  // namespace
}  // namespace tollgate::golden

int main(int count, char** values) {
  const tollgate::golden::Args args(count, values);
  const std::string target =
      "/v1" + std::string(to_string(tollgate::golden::endpoint_of(args))).substr(3);
  return tollgate::golden::print_script(tollgate::routing::make_demo_script(
      target, tollgate::golden::read_stdin(), args.number("created", 1700000000)));
}
