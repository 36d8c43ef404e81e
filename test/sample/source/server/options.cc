#include "source/server/options.h"

#include <algorithm>
#include <string_view>

namespace Envoy {
namespace Server {

Options parseOptions(int argc, const char* const* argv) {
  Options options;
  for (int i = 1; i + 1 < argc; ++i) {
    const std::string_view flag = argv[i];
    const std::string value = argv[i + 1];
    if (flag == "-c" || flag == "--config-path") {
      options.config_path = value;
    } else if (flag == "--concurrency") {
      options.concurrency = std::max(1, std::stoi(value));
    }
  }
  return options;
}

bool wantsVersion(int argc, const char* const* argv) {
  return std::any_of(argv + 1, argv + argc,
                     [](std::string_view argument) { return argument == "--version"; });
}

} // namespace Server
} // namespace Envoy
