#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <string>

namespace Envoy {
namespace Event {

// An event loop of one thread on epoll.
class DispatcherImpl {
public:
  explicit DispatcherImpl(std::string name);
  ~DispatcherImpl();

  const std::string& name() const { return name_; }

  // Calls back whenever fd is readable. To be called before run().
  void add(int fd, std::function<void()> on_readable);
  // Runs callbacks until exit().
  void run();
  // Ends run(); may be called from any thread, before or during run().
  void exit();

private:
  void runOnce();

  const std::string name_;
  std::atomic<bool> exiting_{false};
  int epoll_fd_;
  int wakeup_fd_;
  std::map<int, std::function<void()>> callbacks_;
};

} // namespace Event
} // namespace Envoy
