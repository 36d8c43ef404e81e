#include "source/common/registry/registry.h"

namespace Istio {
namespace PeerMetadata {

// One of several files named config.cc.
static Envoy::Registry::RegisterFactory peer_metadata("envoy.filters.http",
                                                      "envoy.filters.http.peer_metadata");

} // namespace PeerMetadata
} // namespace Istio
