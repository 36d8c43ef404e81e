#include "source/common/registry/registry.h"

namespace Envoy {
namespace Extensions {

static Registry::RegisterFactory router("envoy.filters.http", "envoy.filters.http.router");

} // namespace Extensions
} // namespace Envoy
