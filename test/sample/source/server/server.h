#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "source/common/event/dispatcher_impl.h"
#include "source/server/options.h"
#include "source/server/worker.h"

namespace Envoy {
namespace Server {

// The server: the main thread's dispatcher and the workers it starts.
class InstanceImpl {
public:
  // Throws std::runtime_error when the configuration cannot be read.
  explicit InstanceImpl(const Options& options);
  ~InstanceImpl();

  // Serves until SIGTERM or SIGINT.
  bool run();

private:
  void initialize(const Options& options);
  void loadRuntimeFlags();
  void listenForSignals();
  void onSignal();

  int signal_fd_{-1};
  std::string config_;
  std::map<std::string, bool> runtime_flags_;
  Event::DispatcherImpl dispatcher_{"main_thread"};
  std::vector<std::unique_ptr<WorkerImpl>> workers_;
};

} // namespace Server
} // namespace Envoy
