int answer(int n) {
  return n + 42;
}
