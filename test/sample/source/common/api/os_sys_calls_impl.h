#pragma once

#include <signal.h>
#include <sys/types.h>

#include <cstddef>

namespace Envoy {
namespace Api {

// The system calls the server makes, one method each and nothing added.
class OsSysCallsImpl {
public:
  int open(const char* path, int flags);
  ssize_t read(int fd, void* buffer, size_t length);
  ssize_t write(int fd, const void* buffer, size_t length);
  int close(int fd);
  int eventfd(unsigned int initial, int flags);
  int signalfd(int fd, const sigset_t* mask, int flags);
};

// The one instance of the process.
OsSysCallsImpl& osSysCalls();

} // namespace Api
} // namespace Envoy
