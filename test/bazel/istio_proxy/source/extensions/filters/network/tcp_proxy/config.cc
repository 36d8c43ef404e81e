#include "source/common/registry/registry.h"

namespace Istio {
namespace TcpProxy {

// The whole path of this file, from the workspace on, is also the path of a file
// in the repository envoy.
static Envoy::Registry::RegisterFactory tcp_proxy("envoy.filters.network",
                                                  "envoydbg.tcp_proxy");

} // namespace TcpProxy
} // namespace Istio
