package adapter

import "testing"

// What LLDB 19 and 22 print: the place of main, and a backtrace.
const (
	mainSymbol = `      Address: envoy[0x000000000207e0f0] (envoy.PT_LOAD[1]..text + 240)
      Summary: envoy` + "`" + `___lldb_unnamed_symbol1883
       Module: file = "/usr/local/bin/envoy", arch = "x86_64"
       Symbol: id = {0x0000075b}, range = [0x00005634ee4e80f0-0x00005634ee4e81a0), name="___lldb_unnamed_symbol1883"
`
	inMain = `(lldb) thread backtrace 1
* thread #1, name = 'envoy', stop reason = signal SIGSTOP
  * frame #0: 0x00007fe214d90f36 libc.so.6` + "`" + `epoll_wait(epfd=3) at epoll_wait.c:30:10
    frame #1: 0x00005634ee4e8150 envoy` + "`" + `___lldb_unnamed_symbol1883 + 96
    frame #2: 0x00007fe214caf24a libc.so.6` + "`" + `__libc_start_call_main at libc_start_call_main.h:58:16
`
	beforeMain = `* thread #1, name = 'envoy', stop reason = signal SIGSTOP
  * frame #0: 0x00005634ee900000 envoy` + "`" + `___lldb_unnamed_symbol1 + 7
    frame #1: 0x00007fe214caf305 libc.so.6` + "`" + `__libc_start_main_impl at libc-start.c:360:3
`
	atMain         = "  * frame #0: 0x00005634ee4e80f0 envoy`x\n"
	afterMain      = "  * frame #0: 0x00005634ee4e81a0 envoy`y\n"
	returnsToMain  = "    frame #1: 0x00005634ee4e81a0 envoy`x\n" // from a call that is its last instruction
	returnsBefore  = "    frame #1: 0x00005634ee4e80f0 envoy`z\n"
	addressInAText = "    frame #1: 0x0000000000000001 envoy`f(p=0x00005634ee4e8150)\n"
)

func TestWhetherAFunctionIsOnTheStack(t *testing.T) {
	for name, test := range map[string]struct {
		stack string
		want  bool
	}{
		"in main": {inMain, true}, "before main": {beforeMain, false}, "at its first instruction": {atMain, true}, "behind it": {afterMain, false},
		"in its last call": {returnsToMain, true}, "in the call before it": {returnsBefore, false}, "an argument": {addressInAText, false},
		"no stack": {"error: Command requires a process which is currently stopped.", false},
	} {
		if got := isOnStack(mainSymbol, test.stack); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if isOnStack("error: no symbol", inMain) {
		t.Error("a function without bounds is on the stack")
	}
}
