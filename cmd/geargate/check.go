package main

import (
	"fmt"
	"io"
	"os"

	"github.com/geargate/geargate/proxy"
)

// check tells every mistake of a configuration, and what it moves against
// another.
func check(args []string, stdout, stderr io.Writer) int {
	flags := newConfigFlags("check")
	against := flags.set.String("against", "", "")
	if code, goOn := flags.parse(args, 0, stdout, stderr); !goOn {
		return code
	}
	config, err := flags.load()
	var old proxy.Config
	if err == nil && *against != "" {
		old, err = proxy.Load(*against, os.LookupEnv)
	}
	if err == nil {
		err = config.CheckFiles()
	}
	var notes []string
	if err == nil {
		notes, err = config.LacksRoom()
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitFailure
	}
	for _, note := range append(notes, config.SeveralAddresses()...) {
		fmt.Fprintln(stderr, note)
	}
	fmt.Fprintln(stdout, "ok")
	if *against == "" {
		return exitOK
	}
	for _, m := range old.Moves(&config) {
		fmt.Fprintf(stdout, "%s: %.1f %% of keys move, %.1f %% at least\n", m.What, 100*m.Share, 100*m.Least)
	}
	return exitOK
}
