// Stands in for an Envoy that is linked with a library of its own.
#include <unistd.h>

int answer(int n);

int main() {
  for (int n = 0;; ++n) {
    answer(n);
    usleep(1000);
  }
}
