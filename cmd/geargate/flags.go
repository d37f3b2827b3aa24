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

// fromEnvironment are the variables that stand in for flags, by the key of
// the file that they set.
var fromEnvironment = []struct{ name, key string }{
	{"GEARGATE_LISTEN", "listen"},
	{"GEARGATE_BACKEND", "backends"},
	{"GEARGATE_POOL", "pool.servers"},
	{"GEARGATE_LOG_LEVEL", "log.level"},
}

// configFlags are the flags that choose a configuration.
type configFlags struct {
	set      *flag.FlagSet
	file     string
	settings []proxy.Setting
}

func newConfigFlags(verb string) *configFlags {
	f := &configFlags{set: flag.NewFlagSet("geargate "+verb, flag.ContinueOnError)}
	f.set.SetOutput(io.Discard) // parse tells what is wrong
	f.set.StringVar(&f.file, "config", os.Getenv("GEARGATE_CONFIG"), "")
	f.setting("listen", "listen")
	f.setting("backend", "backends")
	f.setting("pool", "pool.servers")
	f.setting("log-level", "log.level")
	return f
}

// setting makes a flag that sets a key of the file.
func (f *configFlags) setting(name, key string) {
	f.set.Func(name, "", func(value string) error {
		f.settings = append(f.settings, proxy.Setting{From: "--" + name, Key: key, Value: value})
		return nil
	})
}

// parse reads args, of which operands are not flags. It returns false and the
// exit code where the verb is not to go on.
func (f *configFlags) parse(args []string, operands int, stdout, stderr io.Writer) (code int, goOn bool) {
	err := f.set.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, usage)
		return exitOK, false
	}
	if err == nil && f.set.NArg() != operands {
		err = fmt.Errorf("expected %d arguments after the flags, got %d: %q", operands, f.set.NArg(), f.set.Args())
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
	for _, variable := range fromEnvironment {
		for value := range strings.FieldsSeq(os.Getenv(variable.name)) {
			environment = append(environment, proxy.Setting{From: variable.name, Key: variable.key, Value: value})
		}
	}
	return proxy.Load(f.file, os.LookupEnv, environment, f.settings)
}
