#include "source/common/registry/registry.h"

namespace Envoy {
namespace Extensions {

static Registry::RegisterFactory tcp_proxy("envoy.filters.network",
                                           "envoy.filters.network.tcp_proxy");

} // namespace Extensions
} // namespace Envoy
