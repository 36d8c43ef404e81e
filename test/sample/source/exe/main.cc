#include "source/exe/main_common.h"

// Nothing but the way in: a debugger that stopped here stopped before any of
// the server's own code, but after the static registrations.
int main(int argc, char** argv) { return Envoy::MainCommon::main(argc, argv); }
