package main

import (
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"github.com/geargate/geargate/proxy"
)

// emptyFile keeps the machine's own gearmand.conf out of a test.
const emptyFile = "--config-file=/dev/null "

func noVariables(string) (string, bool) { return "", false }

func TestGearmandFlags(t *testing.T) {
	type want = func(*gearmandOptions)
	same := func(*gearmandOptions) {}
	for line, set := range map[string]want{
		"":                                  same,
		"-p4731":                            func(o *gearmandOptions) { o.port = "4731" },
		"-p 4731":                           func(o *gearmandOptions) { o.port = "4731" },
		"--port=4731":                       func(o *gearmandOptions) { o.port = "4731" },
		"--port 4731":                       func(o *gearmandOptions) { o.port = "4731" },
		"-L ::1":                            func(o *gearmandOptions) { o.host = "::1" },
		"--listen=localhost":                func(o *gearmandOptions) { o.host = "localhost" },
		"-t 8":                              func(o *gearmandOptions) { o.threads = 8 },
		"--threads=0":                       func(o *gearmandOptions) {},
		"-j3":                               func(o *gearmandOptions) { o.retries = 3 },
		"--job-retries 3":                   func(o *gearmandOptions) { o.retries = 3 },
		"-d":                                func(o *gearmandOptions) { o.daemon = true },
		"-dR":                               func(o *gearmandOptions) { o.daemon = true },
		"-Rdp4731":                          func(o *gearmandOptions) { o.daemon, o.port = true, "4731" },
		"-dp 4731":                          func(o *gearmandOptions) { o.daemon, o.port = true, "4731" },
		"--daemon --exceptions":             func(o *gearmandOptions) { o.daemon, o.exceptions = true, true },
		"-f 1000":                           func(o *gearmandOptions) { o.descriptors = 1000 },
		"--file-descriptors=1000":           func(o *gearmandOptions) { o.descriptors = 1000 },
		"--job-handle-prefix=H:x":           func(o *gearmandOptions) { o.prefix = "H:x" },
		"-l none":                           func(o *gearmandOptions) { o.logFile = "none" },
		"--log-file=/a=b":                   func(o *gearmandOptions) { o.logFile = "/a=b" },
		"-P /p":                             func(o *gearmandOptions) { o.pidFile = "/p" },
		"--pid-file /p":                     func(o *gearmandOptions) { o.pidFile = "/p" },
		"-u nobody":                         func(o *gearmandOptions) { o.user = "nobody" },
		"--user=nobody":                     func(o *gearmandOptions) { o.user = "nobody" },
		"--verbose FATAL":                   same,
		"--verbose WARNING":                 func(o *gearmandOptions) { o.level = slog.LevelWarn },
		"--verbose=NOTICE":                  func(o *gearmandOptions) { o.level = slog.LevelInfo },
		"--verbose=INFO":                    func(o *gearmandOptions) { o.level = slog.LevelInfo },
		"--verbose DEBUG":                   func(o *gearmandOptions) { o.level = slog.LevelDebug },
		"--syslog --coredump":               func(o *gearmandOptions) { o.syslog, o.coredump = true, true },
		"--ssl --ssl-ca-file=/ca.pem":       func(o *gearmandOptions) { o.ssl = true },
		"--ssl-certificate=/c --ssl-key /k": func(o *gearmandOptions) { o.certificate, o.key = "/c", "/k" },
		"-h":                                func(o *gearmandOptions) { o.help = true },
		"--help":                            func(o *gearmandOptions) { o.help = true },
		"-V":                                func(o *gearmandOptions) { o.version = true },
		"--version --check-args":            func(o *gearmandOptions) { o.version, o.checkArgs = true, true },
		"-b 64 --hashtable-buckets=991 -w1": same,
		"--worker-wakeup=1 --round-robin":   same,
		"--keepalive --keepalive-idle -1 --keepalive-interval=5 --keepalive-count 2": same,
		"-q builtin -r gear":    same,
		"--queue-type=builtin":  same,
		"--backlog=32 -- ":      same,
		"--protocol gear -t 05": func(o *gearmandOptions) { o.threads = 5 },
	} {
		want := &gearmandOptions{port: "4730", level: slog.LevelError, configFile: "/dev/null",
			pidFile: defaultPIDFile, logFile: defaultLogFile,
			certificate: "/etc/ssl/certs/gearmand.pem", key: "/etc/ssl/certs/gearmand.key"}
		set(want)
		got, err := readGearmandOptions(strings.Fields(emptyFile+line), noVariables)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got  %+v, %v\nwant %+v", line, got, err, want)
		}
	}
}

func TestGearmandFlagMistakes(t *testing.T) {
	for line, want := range map[string]string{
		"--nope":                 "unknown option --nope",
		"--por 3":                "unknown option --por",
		"-Q":                     "unknown option -Q in -Q",
		"-dv":                    "unknown option -v in -dv",
		"-":                      `expected only flags, got "-"`,
		"stray":                  `expected only flags, got "stray"`,
		"-- -d":                  `expected only flags, got "-d"`,
		"--port":                 "expected a value after --port, got none",
		"-p":                     "expected a value after --port, got none",
		"--port --daemon":        "expected a value after --port, got none",
		"-p -d":                  "expected a value after --port, got none",
		"--port=":                "expected a value after --port=, got nothing",
		"--daemon=yes":           `expected no value for --daemon, got "yes"`,
		"-p 1 --port=2":          "expected --port once, got it again",
		"-dd":                    "expected --daemon once, got it again",
		"--threads=many":         `--threads: expected a number from 0 to 65535, got "many"`,
		"-t -1":                  `--threads: expected a number from 0 to 65535, got "-1"`,
		"-f x":                   `--file-descriptors: expected a number, got "x"`,
		"--hashtable-buckets=x":  `--hashtable-buckets: expected a number, got "x"`,
		"--verbose=info":         `--verbose: expected one of FATAL, ALERT, CRITICAL, ERROR, WARNING, NOTICE, INFO, DEBUG, got "info"`,
		"-q libsqlite3":          `--queue-type: expected builtin, the only one built in, got "libsqlite3"`,
		"--protocol=http":        `--protocol: expected gear, the only one built in, got "http"`,
		"--config-file=/no/such": "configuration file: open /no/such: no such file or directory",
		"--libsqlite3-db=/tmp/x": "unknown option --libsqlite3-db=/tmp/x",
		"--ssl=yes":              `expected no value for --ssl, got "yes"`,
		"--job-handle-prefix=" + strings.Repeat("x", 53): `--job-handle-prefix: expected at most 52 bytes, got "` + strings.Repeat("x", 53) + `"`,
	} {
		if _, err := readGearmandOptions(strings.Fields(line), noVariables); err == nil || err.Error() != want {
			t.Errorf("%s: got  %v\nwant %s", line, err, want)
		}
	}
}

func TestGearmandConfigFile(t *testing.T) {
	file := writeFile(t, "gearmand.conf", "# words are ignored\n--port=4731\n threads=9 --threads 2\r\n-d\n\t-j 5\n")
	got, err := readGearmandOptions([]string{"--config-file", file, "-t", "3"}, noVariables)
	if err != nil {
		t.Fatal(err)
	}
	if got.port != "4731" || got.threads != 3 || !got.daemon || got.retries != 5 {
		t.Errorf("got %+v", got)
	}
	for text, want := range map[string]string{
		"--nope":             ": unknown option --nope",
		"-p 1 -p 2":          ": expected --port once, got it again",
		"--verbose=QUIET":    `--verbose: expected one of FATAL,`,
		"--queue-type=MySQL": `--queue-type: expected builtin`,
	} {
		file := writeFile(t, "gearmand.conf", text)
		if _, err := readGearmandOptions([]string{"--config-file=" + file}, noVariables); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

// gearmand 1.1.20 lets these two go before its flags.
func TestGearmandCertificateVariables(t *testing.T) {
	set := map[string]string{"GEARMAND_SERVER_PEM": "/c", "GEARMAND_SERVER_KEY": "/k"}
	lookup := func(name string) (string, bool) { value, ok := set[name]; return value, ok }
	got, err := readGearmandOptions(strings.Fields(emptyFile+"--ssl-certificate=/flag --ssl-key=/flag"), lookup)
	if err != nil || got.certificate != "/c" || got.key != "/k" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestGearmandPortVariable(t *testing.T) {
	lookup := func(name string) (string, bool) { return "4799", name == "GEARMAND_PORT" }
	for line, want := range map[string]string{"": "4799", "-p 4731": "4731"} {
		if got, err := readGearmandOptions(strings.Fields(emptyFile+line), lookup); err != nil || got.port != want {
			t.Errorf("%s: got %+v, %v", line, got, err)
		}
	}
}

func TestGearmandConfig(t *testing.T) {
	o, err := readGearmandOptions(strings.Fields(emptyFile+"-L 127.0.0.1 -p 4731 -j 7 --exceptions --job-handle-prefix=H:y --verbose=DEBUG"), noVariables)
	if err != nil {
		t.Fatal(err)
	}
	got, err := o.config()
	if err != nil {
		t.Fatal(err)
	}
	want := proxy.DefaultConfig()
	want.Listen = []proxy.Listen{{Address: "127.0.0.1:4731"}}
	want.Limits.JobRetries = 7
	want.Timeouts.Drain = forEver
	want.Admin = proxy.Admin{}
	want.Log = proxy.Log{Level: slog.LevelDebug, Format: "text"}
	want.Gearmand = proxy.Gearmand{PlainHandles: true, HandlePrefix: "H:y"}
	want.Clients.Exceptions = true
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestListenAddresses(t *testing.T) {
	for _, c := range []struct{ host, port, want string }{
		{"", "4730", "[:4730]"},
		{"127.0.0.1", "0", "[127.0.0.1:0]"},
		{"::1", "4730", "[[::1]:4730]"},
		{"", "http", "[:80]"},
		{"", "no-such-service", "--port: expected a number or a service's name"},
		{"no-such-host.invalid", "1", "--listen: lookup no-such-host.invalid"},
	} {
		addresses, err := listenAddresses(c.host, c.port)
		got := fmt.Sprint(addresses)
		if err != nil {
			got = err.Error()
		}
		if !strings.HasPrefix(got, c.want) {
			t.Errorf("%s %s: got %s, want %s", c.host, c.port, got, c.want)
		}
	}
	addresses, err := listenAddresses("localhost", "4730")
	if err != nil || !strings.Contains(fmt.Sprint(addresses), "127.0.0.1:4730") {
		t.Errorf("localhost: got %v, %v", addresses, err)
	}
}
