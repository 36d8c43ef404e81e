#pragma once

#include <string>

namespace Envoy {
namespace Logger {

// Writes one whole line on stderr, in Envoy's default log format.
void log(const char* level, const char* name, const char* file, int line,
         const std::string& message);

} // namespace Logger
} // namespace Envoy

#define ENVOY_LOG(level, name, message)                                                            \
  ::Envoy::Logger::log(level, name, __FILE__, __LINE__, message)
