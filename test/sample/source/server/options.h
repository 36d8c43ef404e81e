#pragma once

#include <cstdint>
#include <string>

namespace Envoy {
namespace Server {

// What the command line says, as far as this sample cares.
struct Options {
  std::string config_path; // -c, --config-path; empty: none
  uint32_t concurrency{1}; // --concurrency, the number of workers
};

// Takes every argument Envoy takes; those without a field in Options are
// passed over.
Options parseOptions(int argc, const char* const* argv);

// Whether the command line asks for the version instead of a server.
bool wantsVersion(int argc, const char* const* argv);

} // namespace Server
} // namespace Envoy
