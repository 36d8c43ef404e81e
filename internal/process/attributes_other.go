//go:build !linux

package process

import "syscall"

func attributes(c Command) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: c.Group, Setsid: !c.Group}
}
