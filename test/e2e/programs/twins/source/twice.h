// Compiled into two objects, each with another path to it.
static inline int twice(int n) {
  int t = n + n;
  return t;
}
