package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// daemonMark tells a process that it is the one in the background, and that
// descriptor readyFD is a pipe on which its parent waits.
const (
	daemonMark = "GEARGATE_IN_BACKGROUND"
	readyFD    = 3
)

func isDaemon() bool { return os.Getenv(daemonMark) != "" }

// startDaemon starts this program again, in a session of its own, and returns
// when it listens. Until then what it has to complain of goes to our stderr.
// A Go program cannot fork itself: its threads would not come along.
func startDaemon() error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	ready, readyEnd, err := os.Pipe()
	if err != nil {
		return err
	}
	defer ready.Close()
	child := &exec.Cmd{
		Path:        program,
		Args:        os.Args,
		Env:         append(os.Environ(), daemonMark+"=1"),
		Stderr:      os.Stderr,
		ExtraFiles:  []*os.File{readyEnd},
		SysProcAttr: &syscall.SysProcAttr{Setsid: true},
	}
	err = child.Start()
	readyEnd.Close()
	if err != nil {
		return err
	}
	if _, err := io.ReadFull(ready, make([]byte, 1)); err != nil {
		return errors.New("the process in the background ended before it listened")
	}
	return nil
}

// daemonReady tells the parent, if this is the process in the background,
// that it need not wait any longer, and lets go of its terminal.
func daemonReady() error {
	if !isDaemon() {
		return nil
	}
	ready := os.NewFile(readyFD, "ready")
	defer ready.Close()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer null.Close()
	if err := syscall.Dup3(int(null.Fd()), int(os.Stderr.Fd()), 0); err != nil {
		return fmt.Errorf("letting go of stderr: %w", err)
	}
	_, err = io.Copy(ready, strings.NewReader("\n"))
	return err
}
