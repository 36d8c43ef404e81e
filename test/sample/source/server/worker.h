#pragma once

#include <string>
#include <thread>

#include "source/common/event/dispatcher_impl.h"

namespace Envoy {
namespace Server {

// A thread with a dispatcher of its own.
class WorkerImpl {
public:
  explicit WorkerImpl(std::string name) : dispatcher_(std::move(name)) {}

  void start();
  // Returns when the thread has ended.
  void stop();

private:
  void threadRoutine();

  Event::DispatcherImpl dispatcher_;
  std::thread thread_;
};

} // namespace Server
} // namespace Envoy
