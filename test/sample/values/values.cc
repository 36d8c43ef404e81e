// The values of C++ that a debugger has to read. The program prints what each of them
// is, one a line, and the debugger stops behind that.
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

namespace {

// Leaves are the plain values in a value, in order, each with a space before it.
struct Leaves {
  std::string text;

  void add(int value) { text += ' ' + std::to_string(value); }
  void add(double value) {
    char buffer[32];
    std::snprintf(buffer, sizeof buffer, " %g", value);
    text += buffer;
  }
  void add(const std::string& value) { text += " \"" + value + '"'; }
  template <class A, class B> void add(const std::pair<A, B>& value) {
    add(value.first);
    add(value.second);
  }
  template <class T> void add(const std::vector<T>& value) { all(value); }
  template <class K, class T> void add(const std::map<K, T>& value) { all(value); }
  template <class K, class T> void add(const std::unordered_map<K, T>& value) { all(value); }
  template <class T> void add(const std::optional<T>& value) { pointee(value); }
  template <class T> void add(const std::unique_ptr<T>& value) { pointee(value); }
  template <class T> void add(const std::shared_ptr<T>& value) { pointee(value); }
  template <class... T> void add(const std::variant<T...>& value) {
    std::visit([this](const auto& active) { add(active); }, value);
  }

  template <class T> void all(const T& value) {
    for (const auto& element : value) add(element);
  }
  template <class T> void pointee(const T& value) {
    if (value) add(*value);
  }
};

template <class T> void print(const char* name, const T& value) {
  Leaves leaves;
  leaves.add(value);
  std::printf("value of %s:%s\n", name, leaves.text.c_str());
}

#define PRINT(variable) print(#variable, variable)

volatile bool printed = false;

void values() {
  std::string short_string = "Envoy's first line";
  std::string long_string = "a string that is too long to be stored in the object itself";
  std::string empty_string;
  std::vector<int> numbers = {2, 3, 5};
  std::vector<std::string> words = {"listener", "cluster"};
  std::vector<int> no_numbers;
  std::map<int, int> ordered = {{1, 10}, {2, 20}};
  std::map<std::string, int> ordered_words = {{"one", 1}, {"two", 2}};
  std::unordered_map<int, int> hashed = {{7, 70}, {8, 80}, {9, 90}};
  std::unordered_map<std::string, int> hashed_words = {{"three", 3}, {"four", 4}};
  std::optional<int> some = 42;
  std::optional<int> none;
  std::variant<int, double> variant_double = 2.5;
  std::variant<int, double> variant_int = 7;
  std::unique_ptr<int> owned = std::make_unique<int>(11);
  std::unique_ptr<int> nothing;
  std::shared_ptr<int> shared = std::make_shared<int>(13);
  PRINT(short_string);
  PRINT(long_string);
  PRINT(empty_string);
  PRINT(numbers);
  PRINT(words);
  PRINT(no_numbers);
  PRINT(ordered);
  PRINT(ordered_words);
  PRINT(hashed);
  PRINT(hashed_words);
  PRINT(some);
  PRINT(none);
  PRINT(variant_double);
  PRINT(variant_int);
  PRINT(owned);
  PRINT(nothing);
  PRINT(shared);
  std::fflush(stdout);
  printed = true;  // the stop
}

}  // namespace

int main() {
  values();
  return 0;
}
