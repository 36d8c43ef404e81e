#pragma once

#include <map>
#include <string>
#include <vector>

namespace Envoy {
namespace Registry {

// Category → the names registered in it.
using Factories = std::map<std::string, std::vector<std::string>>;

Factories& factories();

// A static object of this kind registers a name before main() begins.
class RegisterFactory {
public:
  RegisterFactory(const std::string& category, const std::string& name);
};

} // namespace Registry
} // namespace Envoy
