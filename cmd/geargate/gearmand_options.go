package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strconv"
	"strings"

	"github.com/geargate/geargate/proxy"
)

// The files that gearmand uses where no flag names another.
const (
	defaultConfigFile = "/etc/gearmand.conf"
	defaultPIDFile    = "/var/gearmand.pid"
	defaultLogFile    = "/var/log/gearmand.log"

	defaultCertificate = "/etc/ssl/certs/gearmand.pem"
	defaultKey         = "/etc/ssl/certs/gearmand.key"
)

// gearmandOptions are the flags that have an effect here.
type gearmandOptions struct {
	checkArgs, help, version bool

	host, port  string // an empty host is every interface
	configFile  string
	pidFile     string
	logFile     string
	level       slog.Level
	user        string // empty: stay who we are
	descriptors uint64 // 0: as many as allowed
	threads     int    // 0: as suits the processors
	retries     int
	data        string // empty: background jobs are in memory
	prefix      string // empty: H: and the host's name
	exceptions  bool
	daemon      bool
	ssl         bool
	certificate string // of ssl, and its key: files in PEM
	key         string
	syslog      bool
	coredump    bool
}

// readGearmandOptions reads the command line and then the configuration file,
// whose flags count where the command line has none. Words of the file that
// are no flags are ignored, as gearmand does; on the command line they are an
// error.
func readGearmandOptions(args []string, lookup func(string) (string, bool)) (*gearmandOptions, error) {
	o := &gearmandOptions{port: proxy.DefaultPort, level: slog.LevelError,
		configFile: defaultConfigFile, pidFile: defaultPIDFile, logFile: defaultLogFile,
		certificate: defaultCertificate, key: defaultKey}
	variable(lookup, "GEARMAND_PORT", &o.port)
	fromLine, strays, err := parseOptions(args)
	if err != nil {
		return nil, err
	}
	if len(strays) > 0 {
		return nil, fmt.Errorf("expected only flags, got %q", strays[0])
	}
	onLine := make(map[*option]bool)
	for _, g := range fromLine {
		onLine[g.option] = true
	}
	if err := o.apply(fromLine, nil); err != nil {
		return nil, err
	}
	fromFile, err := o.readConfigFile()
	if err != nil {
		return nil, err
	}
	if err := o.apply(fromFile, onLine); err != nil {
		return nil, err
	}
	// These two go before the flags, as in gearmand.
	variable(lookup, "GEARMAND_SERVER_PEM", &o.certificate)
	variable(lookup, "GEARMAND_SERVER_KEY", &o.key)
	return o, nil
}

// variable sets field from the environment, where the variable is set there.
func variable(lookup func(string) (string, bool), name string, field *string) {
	if value, ok := lookup(name); ok && value != "" {
		*field = value
	}
}

// apply sets o from the flags given, but for the exceptions.
func (o *gearmandOptions) apply(flags []given, except map[*option]bool) error {
	for _, g := range flags {
		if except[g.option] {
			continue
		}
		if err := g.option.set(o, g.value); err != nil {
			return fmt.Errorf("--%s: %w, got %q", g.option.long, err, g.value)
		}
	}
	return nil
}

// readConfigFile returns the flags in the configuration file: words with
// white space between them. Only the default file may be missing.
func (o *gearmandOptions) readConfigFile() ([]given, error) {
	text, err := os.ReadFile(o.configFile)
	if errors.Is(err, fs.ErrNotExist) && o.configFile == defaultConfigFile {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("configuration file: %w", err)
	}
	flags, _, err := parseOptions(strings.Fields(string(text)))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.configFile, err)
	}
	return flags, nil
}

// setString, setSwitch and setCount make the set functions of the table.
func setString(field func(*gearmandOptions) *string) func(*gearmandOptions, string) error {
	return func(o *gearmandOptions, value string) error {
		*field(o) = value
		return nil
	}
}

func setSwitch(field func(*gearmandOptions) *bool) func(*gearmandOptions, string) error {
	return func(o *gearmandOptions, _ string) error {
		*field(o) = true
		return nil
	}
}

func setCount(field func(*gearmandOptions) *int) func(*gearmandOptions, string) error {
	return func(o *gearmandOptions, value string) error {
		n, err := strconv.ParseUint(value, 10, 16)
		if err != nil {
			return errors.New("expected a number from 0 to 65535")
		}
		*field(o) = int(n)
		return nil
	}
}

// ignored accepts any value: the flag tunes what Geargate has no need for.
func ignored(*gearmandOptions, string) error { return nil }

// ignoredCount accepts any number, from -1.
func ignoredCount(_ *gearmandOptions, value string) error {
	if _, err := strconv.ParseUint(value, 10, 32); err != nil && value != "-1" {
		return errors.New("expected a number")
	}
	return nil
}

// only accepts the one value that there is.
func only(word string) func(*gearmandOptions, string) error {
	return func(_ *gearmandOptions, value string) error {
		if value != word {
			return fmt.Errorf("expected %s, the only one built in", word)
		}
		return nil
	}
}

func setPrefix(o *gearmandOptions, value string) error {
	if len(value) > proxy.MaxHandlePrefix {
		return fmt.Errorf("expected at most %d bytes", proxy.MaxHandlePrefix)
	}
	o.prefix = value
	return nil
}

func setDescriptors(o *gearmandOptions, value string) (err error) {
	if o.descriptors, err = strconv.ParseUint(value, 10, 32); err != nil {
		return errors.New("expected a number")
	}
	return nil
}

func setLevel(o *gearmandOptions, value string) error {
	switch value {
	case "FATAL", "ALERT", "CRITICAL", "ERROR":
		o.level = slog.LevelError
	case "WARNING":
		o.level = slog.LevelWarn
	case "NOTICE", "INFO":
		o.level = slog.LevelInfo
	case "DEBUG":
		o.level = slog.LevelDebug
	default:
		return errors.New("expected one of FATAL, ALERT, CRITICAL, ERROR, WARNING, NOTICE, INFO, DEBUG")
	}
	return nil
}
