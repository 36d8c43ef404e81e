#include "extensions/metadata_exchange/plugin.h"

#include <vector>

#include "crc/crc.h"
#include "crc/version.h"
#include "extensions/common/build_info.h"
#include "extensions/common/join.h"
#include "extensions/common/legacy_flags.h"
#include "istio/node/node.h"
#include "source/common/registry/registry.h"
#include "ticks/ticks.h"

namespace Istio {
namespace MetadataExchange {

// Calls into each kind of file that a Bazel build has, in the order of
// test/bazel/README.md.
Plugin::Plugin(std::string name) {
  std::vector<std::string> parts;
  parts.push_back(Node(std::move(name)).id());
  parts.push_back(buildLabel());
  parts.push_back(std::to_string(legacyFlags()));
  parts.push_back(std::to_string(ticks_in(1500, 300)));
  parts.push_back(std::to_string(ticks_per_hour(300) + ticks_rate(300)));
  parts.push_back(crc_version());
  metadata_ = join(parts, "/");
  metadata_ += "#" + std::to_string(crc32_of(metadata_.data(), metadata_.size()));
}

namespace {

// Before main() begins.
const Plugin plugin("sample");
const Envoy::Registry::RegisterFactory factory("envoydbg.metadata", plugin.metadata());

} // namespace
} // namespace MetadataExchange
} // namespace Istio
