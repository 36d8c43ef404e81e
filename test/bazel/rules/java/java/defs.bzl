"""All that Bazel's own packages load from rules_java while toolchains are
registered; nothing here is written in Java. Bazel would fetch the real one.
"""

java_import = native.java_import
java_runtime = native.java_runtime
java_toolchain = native.java_toolchain
