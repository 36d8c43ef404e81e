#include "twice.h"

int two(int);

int main() {
  int sum = 0;
  for (int i = 0; i < 3; i++) {
    sum += twice(i);
    sum += two(100 + i);
  }
  return sum == 0;
}
