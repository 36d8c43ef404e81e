#pragma once

#include <string>

namespace Istio {
namespace MetadataExchange {

// What this proxy tells its peers.
class Plugin {
public:
  explicit Plugin(std::string name);

  const std::string& metadata() const { return metadata_; }

private:
  std::string metadata_;
};

} // namespace MetadataExchange
} // namespace Istio
