#include "source/exe/main_common.h"

#include <cstdio>
#include <cstdlib>
#include <exception>

namespace Envoy {

volatile uint32_t main_began = 0;

MainCommon::MainCommon(int argc, const char* const* argv)
    : options_(Server::parseOptions(argc, argv)) {
  server_ = std::make_unique<Server::InstanceImpl>(options_);
}

bool MainCommon::run() { return server_->run(); }

int MainCommon::main(int argc, char** argv) {
  main_began = main_began + 1;
  std::unique_ptr<MainCommon> main_common;
  if (Server::wantsVersion(argc, argv)) {
    std::printf("%s  version: sample/1.0.0/Clean/DEBUG\n", argv[0]);
    return EXIT_SUCCESS;
  }
  // Dies before it serves, as an Envoy with a broken configuration does.
  if (std::getenv("ENVOY_SAMPLE_EXIT") != nullptr) {
    const char* code = std::getenv("ENVOY_SAMPLE_EXIT");
    std::fprintf(stderr, "error initializing configuration: ENVOY_SAMPLE_EXIT=%s\n", code);
    return std::atoi(code);
  }
  try {
    main_common = std::make_unique<MainCommon>(argc, argv);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "error initializing configuration: %s\n", e.what());
    return EXIT_FAILURE;
  }
  return main_common->run() ? EXIT_SUCCESS : EXIT_FAILURE;
}

} // namespace Envoy
