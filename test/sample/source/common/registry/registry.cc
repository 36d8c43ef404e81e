#include "source/common/registry/registry.h"

namespace Envoy {
namespace Registry {

// Built by the first registration, whichever source file that is in.
Factories& factories() {
  static Factories instance;
  return instance;
}

RegisterFactory::RegisterFactory(const std::string& category, const std::string& name) {
  factories()[category].push_back(name);
}

} // namespace Registry
} // namespace Envoy
