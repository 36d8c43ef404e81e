#include "source/common/event/dispatcher_impl.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <cerrno>
#include <system_error>

#include "source/common/api/os_sys_calls_impl.h"

namespace Envoy {
namespace Event {
namespace {

// A loop with nothing to do comes round this often, in milliseconds, as
// Envoy's timers make its loop do.
constexpr int kIdleTurn = 1000;
constexpr int kMaxEvents = 32;

int orThrow(int result, const char* call) {
  if (result < 0) {
    throw std::system_error(errno, std::generic_category(), call);
  }
  return result;
}

} // namespace

// The loop calls epoll in libc by itself, past OsSysCallsImpl, as the event
// library below Envoy does.
DispatcherImpl::DispatcherImpl(std::string name)
    : name_(std::move(name)), epoll_fd_(orThrow(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      wakeup_fd_(orThrow(Api::osSysCalls().eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")) {
  add(wakeup_fd_, [this] {
    uint64_t count;
    Api::osSysCalls().read(wakeup_fd_, &count, sizeof(count));
  });
}

DispatcherImpl::~DispatcherImpl() {
  Api::osSysCalls().close(wakeup_fd_);
  Api::osSysCalls().close(epoll_fd_);
}

void DispatcherImpl::add(int fd, std::function<void()> on_readable) {
  callbacks_[fd] = std::move(on_readable);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  orThrow(epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

void DispatcherImpl::run() {
  while (!exiting_) {
    runOnce();
  }
}

void DispatcherImpl::runOnce() {
  epoll_event events[kMaxEvents];
  const int ready = epoll_wait(epoll_fd_, events, kMaxEvents, kIdleTurn);
  // A debugger that attaches or detaches interrupts the wait: ready is -1.
  for (int i = 0; i < ready; ++i) {
    callbacks_.at(events[i].data.fd)();
  }
}

void DispatcherImpl::exit() {
  exiting_ = true;
  const uint64_t one = 1;
  Api::osSysCalls().write(wakeup_fd_, &one, sizeof(one));
}

} // namespace Event
} // namespace Envoy
