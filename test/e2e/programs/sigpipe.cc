// Writes to a closed socket, and ignores the signal, as Envoy does all day.
#include <csignal>
#include <sys/socket.h>
#include <unistd.h>

int after(long written) {
  return written == 99;
}

int main() {
  signal(SIGPIPE, SIG_IGN);
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0) return 1;
  close(fds[1]);
  return after(write(fds[0], "x", 1));
}
