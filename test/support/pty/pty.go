package pty

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Open makes a terminal: the end of a person, and that of programs.
func Open() (person, programs *os.File, err error) {
	if person, err = os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0); err != nil {
		return nil, nil, err
	}
	number := 0
	if err = control(person, func(fd int) error {
		if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
			return err
		}
		var err error
		number, err = unix.IoctlGetInt(fd, unix.TIOCGPTN)
		return err
	}); err == nil {
		programs, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	}
	if err != nil {
		_ = person.Close()
		return nil, nil, err
	}
	return person, programs, nil
}

// Resize makes the terminal that wide and high.
func Resize(person *os.File, columns, rows int) error {
	return control(person, func(fd int) error {
		return unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: uint16(rows), Col: uint16(columns)})
	})
}

// Raw reports whether the terminal passes each key on as it is typed.
func Raw(person *os.File) (bool, error) {
	raw := false
	err := control(person, func(fd int) error {
		mode, err := unix.IoctlGetTermios(fd, unix.TCGETS)
		raw = err == nil && mode.Lflag&unix.ICANON == 0
		return err
	})
	return raw, err
}

// control calls ioctls without making the file a blocking one.
func control(f *os.File, do func(fd int) error) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = conn.Control(func(fd uintptr) { failed = do(int(fd)) })
	return errors.Join(err, failed)
}
