package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/geargate/geargate/proxy"
)

// configFlags are the flags that choose a configuration.
type configFlags struct {
	set      *flag.FlagSet
	file     string
	settings []proxy.Setting
	mixed    bool     // flags may stand behind operands too
	operands []string // what is no flag, once parsed
}

func newConfigFlags(verb string) *configFlags {
	f := &configFlags{set: flag.NewFlagSet("geargate "+verb, flag.ContinueOnError)}
	f.set.SetOutput(io.Discard) // parse tells what is wrong
	for _, known := range configurationFlags {
		if known.key == "" {
			f.set.StringVar(&f.file, known.name, os.Getenv(known.variable), "")
		} else {
			f.setting(known.name, known.key)
		}
	}
	return f
}

// setting makes a flag that sets a key of the file.
func (f *configFlags) setting(name, key string) {
	f.set.Func(name, "", func(value string) error {
		f.settings = append(f.settings, proxy.Setting{From: "--" + name, Key: key, Value: value})
		return nil
	})
}

// anyOperands is one at least.
const anyOperands = -1

// parse reads args, of which operands are not flags. It returns false and the
// exit code where the verb is not to go on.
func (f *configFlags) parse(args []string, operands int, stdout, stderr io.Writer) (code int, goOn bool) {
	err := f.set.Parse(args)
	f.operands = f.set.Args()
	for n := 1; err == nil && f.mixed && n <= operands && len(f.operands) > n; n++ {
		if err = f.set.Parse(f.operands[n:]); err == nil {
			f.operands = append(f.operands[:n:n], f.set.Args()...)
		}
	}
	if errors.Is(err, flag.ErrHelp) {
		printUsage(stdout)
		return exitOK, false
	}
	if err == nil && operands == anyOperands && len(f.operands) == 0 {
		err = errors.New("expected arguments after the flags, got none")
	}
	if err == nil && operands != anyOperands && len(f.operands) != operands {
		err = fmt.Errorf("expected %d arguments after the flags, got %d: %q", operands, len(f.operands), f.operands)
	}
	if err != nil {
		fmt.Fprintf(stderr, "%s: %v\nSee geargate help.\n", f.set.Name(), err)
		return exitUsage, false
	}
	return exitOK, true
}

// load returns the configuration chosen by file, environment and flags.
func (f *configFlags) load() (proxy.Config, error) {
	var environment []proxy.Setting
	for _, known := range configurationFlags {
		if known.key == "" {
			continue
		}
		for value := range strings.FieldsSeq(os.Getenv(known.variable)) {
			environment = append(environment, proxy.Setting{From: known.variable, Key: known.key, Value: value})
		}
	}
	return proxy.Load(f.file, os.LookupEnv, environment, f.settings)
}
