#pragma once

#include <cstdint>
#include <memory>

#include "source/server/options.h"
#include "source/server/server.h"

namespace Envoy {

// Owns the server for the life of the process.
class MainCommon {
public:
  MainCommon(int argc, const char* const* argv);

  // Serves until SIGTERM or SIGINT; false when the server could not start.
  bool run();

  // The whole program; the result is its exit code.
  static int main(int argc, char** argv);

private:
  const Server::Options options_;
  std::unique_ptr<Server::InstanceImpl> server_;
};

// How many times MainCommon::main has begun: 0 or 1. A debugger reads it to
// tell whether it came in time.
extern volatile uint32_t main_began;

} // namespace Envoy
