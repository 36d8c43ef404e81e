"""All that Bazel's own packages load from rules_cc to find a C++ compiler.

Bazel would fetch the real one. Debian's package of it is made for a later Bazel
than Debian's Bazel.
"""

cc_library = native.cc_library
cc_toolchain = native.cc_toolchain
cc_toolchain_suite = native.cc_toolchain_suite
cc_binary = native.cc_binary
