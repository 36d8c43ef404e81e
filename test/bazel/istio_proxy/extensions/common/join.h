#pragma once

#include <string>

namespace Istio {

// The elements with separators between.
template <typename Range> std::string join(const Range& range, const char* separator) {
  std::string joined;
  for (const auto& element : range) {
    if (!joined.empty()) {
      joined += separator;
    }
    joined += element;
  }
  return joined;
}

} // namespace Istio
