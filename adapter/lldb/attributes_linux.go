package lldb

import "syscall"

// attributes put lldb-dap into a process group of its own, and let the kernel
// end it when the adapter is killed: closing its stdin does not end it while it
// waits.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
