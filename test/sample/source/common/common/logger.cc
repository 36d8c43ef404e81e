#include "source/common/common/logger.h"

#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>

namespace Envoy {
namespace Logger {

void log(const char* level, const char* name, const char* file, int line,
         const std::string& message) {
  timeval now;
  gettimeofday(&now, nullptr);
  tm utc;
  gmtime_r(&now.tv_sec, &utc);
  char stamp[32];
  strftime(stamp, sizeof(stamp), "%Y-%m-%d %H:%M:%S", &utc);
  std::fprintf(stderr, "[%s.%03ld][%d][%s][%s] [%s:%d] %s\n", stamp, now.tv_usec / 1000, gettid(),
               level, name, file, line, message.c_str());
}

} // namespace Logger
} // namespace Envoy
