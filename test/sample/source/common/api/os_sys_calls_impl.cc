#include "source/common/api/os_sys_calls_impl.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace Envoy {
namespace Api {

int OsSysCallsImpl::open(const char* path, int flags) { return ::open(path, flags); }

ssize_t OsSysCallsImpl::read(int fd, void* buffer, size_t length) {
  return ::read(fd, buffer, length);
}

ssize_t OsSysCallsImpl::write(int fd, const void* buffer, size_t length) {
  return ::write(fd, buffer, length);
}

int OsSysCallsImpl::close(int fd) { return ::close(fd); }

int OsSysCallsImpl::eventfd(unsigned int initial, int flags) { return ::eventfd(initial, flags); }

int OsSysCallsImpl::signalfd(int fd, const sigset_t* mask, int flags) {
  return ::signalfd(fd, mask, flags);
}

OsSysCallsImpl& osSysCalls() {
  static OsSysCallsImpl instance;
  return instance;
}

} // namespace Api
} // namespace Envoy
