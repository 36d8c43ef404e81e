#include "source/server/server.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/signalfd.h>

#include <stdexcept>

#include "source/common/api/os_sys_calls_impl.h"
#include "source/common/common/logger.h"
#include "source/common/registry/registry.h"

namespace Envoy {
namespace Server {
namespace {

std::string readFile(const std::string& path) {
  Api::OsSysCallsImpl& os = Api::osSysCalls();
  const int fd = os.open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    throw std::runtime_error("unable to read file: " + path);
  }
  std::string content;
  char buffer[4096];
  ssize_t length;
  while ((length = os.read(fd, buffer, sizeof(buffer))) > 0) {
    content.append(buffer, length);
  }
  os.close(fd);
  return content;
}

} // namespace

InstanceImpl::InstanceImpl(const Options& options) { initialize(options); }

InstanceImpl::~InstanceImpl() {
  if (signal_fd_ >= 0) {
    Api::osSysCalls().close(signal_fd_);
  }
}

void InstanceImpl::initialize(const Options& options) {
  ENVOY_LOG("info", "main", "initializing epoch 0 (base id=0, hot restart version=disabled)");
  ENVOY_LOG("info", "main", "statically linked extensions:");
  for (const auto& [category, names] : Registry::factories()) {
    std::string line = "  " + category + ":";
    for (const std::string& name : names) {
      line += " " + name;
    }
    ENVOY_LOG("info", "main", line);
  }
  if (!options.config_path.empty()) {
    config_ = readFile(options.config_path);
    ENVOY_LOG("info", "config",
              options.config_path + ": " + std::to_string(config_.size()) + " bytes");
  }
  loadRuntimeFlags();
  listenForSignals();
  for (uint32_t i = 0; i < options.concurrency; ++i) {
    workers_.push_back(std::make_unique<WorkerImpl>("wrk:worker_" + std::to_string(i)));
  }
}

// Long enough to be stepped through some hundred times.
void InstanceImpl::loadRuntimeFlags() {
  for (int i = 0; i < 200; ++i) {
    std::string name = "envoy.reloadable_features.sample_" + std::to_string(i);
    const bool enabled = i % 3 != 0;
    runtime_flags_.emplace(std::move(name), enabled);
  }
}

// The signals are blocked in the thread that starts all others, so they are
// blocked everywhere and reach the dispatcher alone.
void InstanceImpl::listenForSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal_fd_ = Api::osSysCalls().signalfd(-1, &signals, SFD_CLOEXEC);
  dispatcher_.add(signal_fd_, [this] { onSignal(); });
}

void InstanceImpl::onSignal() {
  signalfd_siginfo info{};
  Api::osSysCalls().read(signal_fd_, &info, sizeof(info));
  ENVOY_LOG("warning", "main",
            info.ssi_signo == SIGTERM ? "caught ENVOY_SIGTERM" : "caught SIGINT");
  dispatcher_.exit();
}

bool InstanceImpl::run() {
  ENVOY_LOG("info", "config", "all dependencies initialized. starting workers");
  for (auto& worker : workers_) {
    worker->start();
  }
  ENVOY_LOG("info", "main", "starting main dispatch loop");
  dispatcher_.run();
  ENVOY_LOG("info", "main", "main dispatch loop exited");
  for (auto& worker : workers_) {
    worker->stop();
  }
  ENVOY_LOG("info", "main", "exiting");
  return true;
}

} // namespace Server
} // namespace Envoy
