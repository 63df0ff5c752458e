// The commands about the cache of a running gateway, asked over its admin address. Called by the
// command line.
#pragma once
#include <iosfwd>
#include <string>

#include "config/config.hpp"

namespace tollgate::app {

/// What is to go: a tenant's replies, a model's, those of both, or, with neither, all.
struct CachePurge {
  std::string tenant, model;
};

/// Prints how many replies went. Exit codes: 0; 1 where the gateway did not do it.
int cache_purge(const config::Config& config, const CachePurge& purge, std::ostream& out,
                std::ostream& err);

}  // namespace tollgate::app
