//go:build !linux

package lldb

import "syscall"

// attributes put lldb-dap into a process group of its own.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
