package process

import "syscall"

func attributes(c Command) *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Setpgid: c.Group, Setsid: !c.Group}
	if c.Tied {
		a.Pdeathsig = syscall.SIGKILL
	}
	return a
}
