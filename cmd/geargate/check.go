package main

import (
	"fmt"
	"io"
)

// check tells every mistake of a configuration.
func check(args []string, stdout, stderr io.Writer) int {
	flags := newConfigFlags("check")
	if code, goOn := flags.parse(args, 0, stdout, stderr); !goOn {
		return code
	}
	if _, err := flags.load(); err != nil {
		fmt.Fprintln(stderr, err)
		return exitFailure
	}
	fmt.Fprintln(stdout, "ok")
	return exitOK
}
