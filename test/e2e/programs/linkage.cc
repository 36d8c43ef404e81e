// A program that is linked in every way there is.
int work(int n) {
  return n + 5;
}
int main(int argc, char**) {
  return work(argc) > 99;
}
