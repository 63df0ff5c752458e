#include "config/load.hpp"

namespace tollgate::config {
namespace {

constexpr char shipped[] = {
#embed "tollgate.yaml"
};

}  // namespace

std::string_view shipped_default() { return {shipped, sizeof shipped}; }

// Its SHA-256 stands in tollgate.yaml; a test holds the two together.
std::string_view published_demo_key() { return "tg-demo-mrNWw5GfGkq7cdK8p4hzgr"; }

}  // namespace tollgate::config
