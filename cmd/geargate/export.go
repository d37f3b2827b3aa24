package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/geargate/geargate/backend/transfer"
)

// export writes the jobs of a pool that does not run as JSON lines.
func export(args []string, stdout, stderr io.Writer) int {
	flags := newConfigFlags("export")
	if code, goOn := flags.parse(args, 0, stdout, stderr); !goOn {
		return code
	}
	config, err := flags.load()
	if err == nil && config.Pool.Store == "" {
		err = errors.New("expected --data DIR, or pool.store in the configuration")
	}
	if err == nil {
		_, err = transfer.Export(config.Pool.Store, stdout)
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitFailure
	}
	return exitOK
}
