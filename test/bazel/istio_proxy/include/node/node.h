#pragma once

#include <string>

namespace Istio {

// The workload this proxy serves. Included as "istio/node/node.h".
class Node {
public:
  explicit Node(std::string name) : name_(std::move(name)) {}

  std::string id() const {
    const std::string type = "sidecar";
    return type + "~" + name_;
  }

private:
  std::string name_;
};

} // namespace Istio
