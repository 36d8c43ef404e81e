#include "source/server/worker.h"

#include <pthread.h>

namespace Envoy {
namespace Server {

void WorkerImpl::start() {
  thread_ = std::thread([this] { threadRoutine(); });
}

void WorkerImpl::stop() {
  dispatcher_.exit();
  thread_.join();
}

void WorkerImpl::threadRoutine() {
  pthread_setname_np(pthread_self(), dispatcher_.name().c_str());
  dispatcher_.run();
}

} // namespace Server
} // namespace Envoy
