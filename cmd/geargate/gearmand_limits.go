package main

import (
	"fmt"
	"runtime/debug"
	"syscall"
)

// setLimits changes what the kernel allows this process.
func setLimits(o *gearmandOptions) error {
	if o.coredump {
		debug.SetTraceback("crash")
		if err := raiseLimit(syscall.RLIMIT_CORE, noLimit); err != nil {
			return fmt.Errorf("--coredump: %w", err)
		}
	}
	if o.descriptors > 0 {
		if err := raiseLimit(syscall.RLIMIT_NOFILE, o.descriptors); err != nil {
			return fmt.Errorf("--file-descriptors: %w", err)
		}
	}
	return nil
}

// noLimit is RLIM_INFINITY.
const noLimit = ^uint64(0)

// raiseLimit sets the current limit of a resource to n, and the largest
// allowed as well where n is above it, which only root may.
func raiseLimit(resource int, n uint64) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(resource, &limit); err != nil {
		return err
	}
	limit.Cur, limit.Max = n, max(limit.Max, n)
	return syscall.Setrlimit(resource, &limit)
}
