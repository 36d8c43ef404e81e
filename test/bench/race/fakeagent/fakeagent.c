// A fake agent. The real pilot-agent takes some 60 ms from its start to its exec
// of Envoy, which hides the race that is measured here. This one runs already,
// and execs Envoy at a nanosecond that it is told:
//
//   fakeagent agent TRIGGER REPORT ENVOY
//
// forks the child that will become Envoy, as pilot-agent does. The child writes
// its process id to the pipe REPORT (32 bits) when it stands ready, reads from the pipe TRIGGER
// the time to exec at (64 bits, nanoseconds of CLOCK_MONOTONIC), waits for it,
// writes the time it is to REPORT, and execs. As pilot-agent it takes Envoy's
// path from PROXY_CONFIG's binaryPath where that is set.
//
//   fakeagent crowd N
//
// is N processes that do nothing, for a process list of that length.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// The scheduler wakes a sleeper up to some 0.1 ms late, so the last part of the
// wait is spent running.
enum { spin = 200000 };

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void die(const char* what) {
  fprintf(stderr, "fakeagent: %s: %s\n", what, strerror(errno));
  exit(2);
}

static const char* binary_path(const char* otherwise) {
  const char* config = getenv("PROXY_CONFIG");
  const char* at = config ? strstr(config, "\"binaryPath\":\"") : NULL;
  if (at == NULL) {
    return otherwise;
  }
  at += strlen("\"binaryPath\":\"");
  return strndup(at, strcspn(at, "\""));
}

static void become_envoy(const char* trigger_path, const char* report_path, const char* path) {
  int trigger = open(trigger_path, O_RDONLY | O_CLOEXEC);
  int report = open(report_path, O_WRONLY | O_CLOEXEC);
  if (trigger < 0 || report < 0) {
    die("open");
  }
  // So that no other process of a busy machine delays the exec. Where it is not
  // permitted the delay is seen in the report.
  struct sched_param first = {.sched_priority = 1}, usual = {0};
  sched_setscheduler(0, SCHED_FIFO, &first);
  int64_t at;
  int32_t pid = getpid();
  if (write(report, &pid, sizeof pid) != sizeof pid || read(trigger, &at, sizeof at) != sizeof at) {
    die("the trigger");
  }
  if (at - now() > spin) {
    struct timespec t = {.tv_sec = (at - spin) / 1000000000, .tv_nsec = (at - spin) % 1000000000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
  }
  while (now() < at) {
  }
  char* const arguments[] = {(char*)path, NULL};
  int64_t began = now();
  if (write(report, &began, sizeof began) != sizeof began) {
    die("the report");
  }
  sched_setscheduler(0, SCHED_OTHER, &usual);
  execv(path, arguments);
  die(path);
}

static int agent(char** argv) {
  const char* path = binary_path(argv[4]);
  pid_t child = fork();
  if (child < 0) {
    die("fork");
  }
  if (child == 0) {
    become_envoy(argv[2], argv[3], path);
  }
  int status;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) {
      die("waitpid");
    }
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static void crowd(int n) {
  for (int i = 1; i < n; i++) {
    pid_t child = fork();
    if (child < 0) {
      die("fork");
    }
    if (child == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      for (;;) {
        pause();
      }
    }
  }
  puts("ready");
  fflush(stdout);
  for (;;) {
    pause();
  }
}

int main(int argc, char** argv) {
  if (argc == 5 && strcmp(argv[1], "agent") == 0) {
    return agent(argv);
  }
  if (argc == 3 && strcmp(argv[1], "crowd") == 0) {
    crowd(atoi(argv[2]));
  }
  fprintf(stderr, "usage: fakeagent agent TRIGGER REPORT ENVOY | fakeagent crowd N\n");
  return 2;
}
