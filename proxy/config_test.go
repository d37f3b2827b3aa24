package proxy

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/geargate/geargate/proxy/access"
)

const examplePath = "../config.example.yaml"

func noEnvironment(string) (string, bool) { return "", false }

func TestExampleEqualsDefaults(t *testing.T) {
	got, err := Load(examplePath, noEnvironment)
	if err != nil {
		t.Fatal(err)
	}
	if want := DefaultConfig(); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// The keys are found from the fields of Config, so that a field without its
// line in the example, or without a key that the loader knows, is noticed.
func TestExampleHasEveryKey(t *testing.T) {
	text, err := os.ReadFile(examplePath)
	if err != nil {
		t.Fatal(err)
	}
	config := reflect.TypeFor[Config]()
	for i := range config.NumField() {
		field := config.Field(i)
		if field.Name == "Gearmand" {
			continue
		}
		known, ok := sections[snakeCase(field.Name)]
		if !ok {
			t.Errorf("the loader has no section %s", snakeCase(field.Name))
			continue
		}
		element := field.Type
		if element.Kind() == reflect.Slice {
			element = element.Elem()
		}
		keys := keysOf(element, "")
		for _, key := range keys {
			line := regexp.MustCompile(`(?m)^#? +(- )?` + key[strings.LastIndex(key, ".")+1:] + `: \S+`)
			if !line.Match(text) {
				t.Errorf("the example has no line for %s.%s", snakeCase(field.Name), key)
			}
			if !slices.Contains(known.keys, key) {
				t.Errorf("the loader does not know %s.%s", snakeCase(field.Name), key)
			}
		}
		if len(keys) != len(known.keys) {
			t.Errorf("%s has %d fields and %d keys", field.Name, len(keys), len(known.keys))
		}
	}
}

// keysOf returns the keys for the fields of a struct, with those below.
func keysOf(of reflect.Type, above string) (keys []string) {
	for i := range of.NumField() {
		field := of.Field(i)
		key := above + snakeCase(field.Name)
		if field.Type.Kind() == reflect.Struct {
			keys = append(keys, keysOf(field.Type, key+".")...)
			continue
		}
		keys = append(keys, key)
	}
	return keys
}

// The example's commented-out farm must load as well.
func TestExampleFarm(t *testing.T) {
	text, err := os.ReadFile(examplePath)
	if err != nil {
		t.Fatal(err)
	}
	uncommented := regexp.MustCompile(`(?m)^#(  (- |  )(name|address|weight|backends|function|pool|addresses|submit|work|admin):)`).ReplaceAllString(string(text), " $1")
	for _, section := range []string{"backends", "pools", "routes", "access"} {
		uncommented = strings.Replace(uncommented, "\n"+section+": []", "\n"+section+":", 1)
	}
	config, err := Parse("example", []byte(uncommented), noEnvironment)
	if err != nil {
		t.Fatal(err)
	}
	if len(config.Backends) != 2 || config.Backends[0].Weight != 1 || len(config.Pools) != 1 || len(config.Routes) != 1 || len(config.Access) != 1 || config.Access[0].Admin != "read" {
		t.Errorf("got %+v", config)
	}
}

func TestEveryKeyIsRead(t *testing.T) {
	text := `
listen:
  - address: unix:///run/geargate.sock
  - address: ":4731"
    tls: {cert: /c, key: /k, client_ca: /ca, client_auth: optional, min_version: "1.2"}
    proxy_protocol:
      trusted: [10.1.2.3/8, "::1"]
backends:
  - {name: b.1, address: one.example, weight: 3, tls: {ca: system, cert: /c, key: /k, server_name: n, min_version: "1.2", insecure: true}}
  - {name: b_2, address: "[::1]:4000"}
pool: {servers: 2, store: /var/jobs, store_memory: 3MiB}
spool: {path: /var/spool, rate: 9}
pools:
  - {name: p, backends: [b.1, pool-2]}
  - name: q
    backends:
      - b_2
      - b.1
routes:
  - {function: "*_x", pool: q}
access:
  - {listeners: [":4731", "unix:///run/geargate.sock"], addresses: [10.0.0.1, "::/0"], certificates: [a, "*.b"], submit: [f], work: ["g*", h], admin: write}
  - {}
admin: {socket: /run/a.sock, listen: ":4731", token: 0123456789abcdefg}
clients: {exceptions: true}
limits:
  frame: 1GiB
  line: 64B
  function_name: 1KiB
  functions_per_worker: 7
  ready_jobs: 8
  in_flight: 1MiB
  max_pending: 2GiB
  memory: 3GiB
  connections_per_address: 5
  connections: 9
  group_links: 3
  job_retries: 4
  timeout_runs: 6
  held_jobs: 5
  held_bytes: 6KiB
timeouts: {dial: 1m30s, shutdown_delay: 3s, drain: 0, admin: 2s, grab: 300ms, wake: 50ms, hold: 7s, handshake: 11s, keepalive: 1m, can_do_unit: s}
health: {interval: 8s, timeout: 9s}
log: {level: debug, format: json}
`
	got, err := Parse("c.yaml", []byte(text), noEnvironment)
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		Listen: []Listen{{Address: "unix:///run/geargate.sock"}, {
			Address:       ":4731",
			TLS:           ListenTLS{"/c", "/k", "/ca", "optional", "1.2"},
			ProxyProtocol: ProxyProtocol{[]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}},
		}},
		Backends: []Backend{
			{Name: "b.1", Address: "one.example:4730", Weight: 3, TLS: BackendTLS{"system", "/c", "/k", "n", "1.2", true}},
			{Name: "b_2", Address: "[::1]:4000", Weight: 1},
		},
		Pool:   Pool{Servers: 2, Store: "/var/jobs", StoreMemory: 3 * MiB},
		Spool:  Spool{Path: "/var/spool", Rate: 9},
		Pools:  []BackendPool{{"p", []string{"b.1", "pool-2"}}, {"q", []string{"b_2", "b.1"}}},
		Routes: []Route{{"*_x", "q"}},
		Access: []access.Rule{{
			Listeners: []string{":4731", "unix:///run/geargate.sock"}, Addresses: []netip.Prefix{netip.MustParsePrefix("10.0.0.1/32"), netip.MustParsePrefix("::/0")},
			Certificates: []string{"a", "*.b"}, Submit: []string{"f"}, Work: []string{"g*", "h"}, Admin: "write",
		}, {}},
		Admin:   Admin{Socket: "/run/a.sock", Listen: ":4731", Token: "0123456789abcdefg"},
		Clients: Clients{Exceptions: true},
		Limits: Limits{Frame: GiB, Line: 64, FunctionName: KiB, FunctionsPerWorker: 7, ReadyJobs: 8,
			InFlight: MiB, MaxPending: 2 * GiB, Memory: 3 * GiB, ConnectionsPerAddress: 5, Connections: 9, GroupLinks: 3, JobRetries: 4, TimeoutRuns: 6, HeldJobs: 5, HeldBytes: 6 * KiB},
		Timeouts: Timeouts{Dial: 90 * time.Second, ShutdownDelay: 3 * time.Second, Admin: 2 * time.Second, Grab: 300 * time.Millisecond,
			Wake: 50 * time.Millisecond, Hold: 7 * time.Second, Handshake: 11 * time.Second, Keepalive: time.Minute, CanDoUnit: "s"},
		Health: Health{Interval: 8 * time.Second, Timeout: 9 * time.Second},
		Log:    Log{Level: -4, Format: "json"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestNoAdmin(t *testing.T) {
	config, err := Parse("c.yaml", []byte(`admin: {socket: "", listen: ""}`), noEnvironment)
	if err != nil || config.Admin != (Admin{}) {
		t.Errorf("got %+v, %v", config.Admin, err)
	}
}

func TestRouterConfig(t *testing.T) {
	text := `
backends: [{name: a, address: x, weight: 2}]
pool: {servers: 2}
clients: {exceptions: true}
limits: {function_name: 11B, functions_per_worker: 12, ready_jobs: 13, group_links: 14, job_retries: 15, timeout_runs: 24, held_jobs: 19, held_bytes: 20B}
timeouts: {admin: 16ms, grab: 17ms, wake: 18ms, hold: 21ms, can_do_unit: s}
health: {interval: 22ms, timeout: 23ms}
log: {level: warn}
`
	config, err := Parse("c.yaml", []byte(text), noEnvironment)
	if err != nil {
		t.Fatal(err)
	}
	config.Gearmand = Gearmand{PlainHandles: true}
	r := config.Router(3)
	var backends []string
	for _, b := range r.Backends {
		backends = append(backends, b.Name)
	}
	if got := strings.Join(backends, " "); got != "a pool-1 pool-2" || r.Backends[0].Weight != 2 || r.Backends[2].Weight != 1 {
		t.Errorf("got backends %v", r.Backends)
	}
	got := []any{r.Lanes, r.MaxFunction, r.MaxFunctions, r.MaxReady, r.GroupLinks, r.JobRetries, r.TimeoutRuns, r.MaxHeld, r.MaxHeldBytes, r.HoldTimeout, r.HealthInterval, r.HealthTimeout,
		r.AdminTimeout, r.GrabTimeout, r.WakeTimeout, r.TimeoutSeconds, r.PlainHandles, r.Exceptions, r.Verbose, r.PID}
	want := []any{3, 11, 12, 13, 14, 15, 24, 19, 20, 21 * time.Millisecond, 22 * time.Millisecond, 23 * time.Millisecond, 16 * time.Millisecond, 17 * time.Millisecond, 18 * time.Millisecond,
		true, true, true, "WARNING", os.Getpid()}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestDefaultsThatFollow(t *testing.T) {
	for _, c := range []struct {
		text       string
		pool       int
		maxPending int
	}{
		{"", 1, 576 * MiB},
		{"# nothing\n", 1, 576 * MiB},
		{"backends:\nlisten:\n", 1, 576 * MiB},
		{"backends: [{name: a, address: b}]", 0, 576 * MiB},
		{"backends: [{name: a, address: b}]\npool: {servers: 3}", 3, 576 * MiB},
		{"limits: {frame: 1MiB}", 1, 65 * MiB},
	} {
		config, err := Parse("c.yaml", []byte(c.text), noEnvironment)
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		if config.Pool.Servers != c.pool || config.Limits.MaxPending != c.maxPending {
			t.Errorf("%q: got pool %d, max_pending %s", c.text, config.Pool.Servers, FormatSize(config.Limits.MaxPending))
		}
		if got := config.Listen; len(got) != 1 || got[0].Address != "127.0.0.1:4730" {
			t.Errorf("%q: got listen %v", c.text, got)
		}
	}
}

func TestLayers(t *testing.T) {
	file := "listen: [{address: \":1\"}, {address: \":2\"}]\nbackends: [{name: f, address: f}]\npool: {servers: 2}\nlog: {level: error}\n"
	environment := []Setting{
		{"GEARGATE_LISTEN", "listen", ":3"}, {"GEARGATE_LISTEN", "listen", ":4"},
		{"GEARGATE_POOL", "pool.servers", "3"}, {"GEARGATE_LOG_LEVEL", "log.level", "warn"},
	}
	flags := []Setting{
		{"--pool", "pool.servers", "4"},
		{"--backend", "backends", "a=one:1,weight=5"}, {"--backend", "backends", "b=unix:///run/b"},
	}
	got, err := Parse("c.yaml", []byte(file), noEnvironment, environment, flags)
	if err != nil {
		t.Fatal(err)
	}
	if want := []Listen{{Address: ":3"}, {Address: ":4"}}; !reflect.DeepEqual(got.Listen, want) {
		t.Errorf("got listen %v, want %v", got.Listen, want)
	}
	if want := []Backend{{Name: "a", Address: "one:1", Weight: 5}, {Name: "b", Address: "unix:///run/b", Weight: 1}}; !reflect.DeepEqual(got.Backends, want) {
		t.Errorf("got backends %v, want %v", got.Backends, want)
	}
	if got.Pool.Servers != 4 || got.Log.Level.String() != "WARN" {
		t.Errorf("got pool %d, level %v", got.Pool.Servers, got.Log.Level)
	}
}

func TestLoadUnreadable(t *testing.T) {
	if _, err := Load(t.TempDir()+"/none.yaml", noEnvironment); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	large := t.TempDir() + "/large.yaml"
	if err := os.WriteFile(large, make([]byte, maxConfigFile+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(large, noEnvironment); err == nil || !strings.Contains(err.Error(), "at most 1MiB") {
		t.Errorf("got %v", err)
	}
}

func TestSecure(t *testing.T) {
	for text, want := range map[string]bool{
		"":                                  false,
		"listen: [{address: \":1\"}]\n":     false,
		"backends: [{name: a, address: x}]": false,
		"listen: [{address: \":1\"}, {address: \":2\", tls: {cert: c, key: k}}]\n":        true,
		"backends: [{name: a, address: x}, {name: b, address: y, tls: {insecure: true}}]": true,
	} {
		path := filepath.Join(t.TempDir(), "c.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		config, err := Load(path, noEnvironment)
		if err != nil || config.Secure() != want {
			t.Errorf("%q: got %v, %v, expected %v", text, config.Secure(), err, want)
		}
	}
}
