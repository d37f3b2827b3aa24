package proxy

import (
	"errors"
	"strings"
	"testing"
)

// Each mistake is told once, with the line it is on.
func TestMistakes(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string // all problems, each as far as it goes
	}{
		{"unknown section", "pool:\n  servers: 1\nlisteners:\n", []string{
			`c.yaml:3: expected one of the keys access, admin, backends, clients, health, limits, listen, log, pool, pools, routes, spool, timeouts, got "listeners"`}},
		{"unknown key", "timeouts:\n  dial: 1s\n  dail: 2s\n", []string{
			`c.yaml:3: timeouts: expected one of the keys dial, shutdown_delay, drain, admin, grab, wake, hold, handshake, keepalive, can_do_unit, got "dail"`}},
		{"doubled section", "log: {level: info}\npool: {servers: 1}\nlog: {level: warn}\n", []string{
			`c.yaml:3: expected each key once, got log again, first on line 1`}},
		{"doubled key", "limits:\n  line: 1KiB\n  line: 2KiB\n", []string{
			`c.yaml:3: limits: expected each key once, got line again, first on line 2`}},
		{"merge key", "pool: &a\n  servers: 1\nlog:\n  <<: *a\n", []string{
			`c.yaml:4: log: expected one of the keys level, format, got "<<"`}},
		{"mapping as key", "? {a: b}\n: c\n", []string{
			`c.yaml:1: expected one of the keys access, admin, backends, clients, health, limits, listen, log, pool, pools, routes, spool, timeouts, got a mapping`}},
		{"list at the top", "- listen\n", []string{
			`c.yaml:1: expected a mapping of access, admin, backends, clients, health, limits, listen, log, pool, pools, routes, spool, timeouts, got a list`}},
		{"word at the top", "geargate\n", []string{`c.yaml:1: expected a mapping of`}},
		{"second document", "log: {level: info}\n---\nlog: {level: warn}\n", []string{
			`c.yaml:2: expected one YAML document, got a second document begins`}},
		{"tab", "log:\n\tlevel: info\n", []string{`c.yaml:2: expected one YAML document, got found character that cannot start any token`}},
		{"open bracket", "log:\n  level: info\npool: {servers: 1\n", []string{`c.yaml:3: expected one YAML document`}},
		{"indentation", "log:\n  level: info\n format: text\n", []string{`c.yaml:3: expected one YAML document`}},
		{"unknown alias", "pool: {servers: 1}\nlog: *x\n", []string{`c.yaml:2: expected one YAML document, got unknown anchor 'x' referenced`}},
		{"first line", "log: ]\n", []string{`c.yaml:1: expected one YAML document`}},
		{"colon in a value", "log:\n  level: a: b\n", []string{`c.yaml:2: expected one YAML document, got mapping values are not allowed`}},
		{"open quote", "pool: {servers: 1}\nlog:\n  level: \"info\n", []string{`c.yaml:3: expected one YAML document`}},
		{"missing colon", "pool:\n  servers: 1\n  dial\nlog: {}\n", []string{`c.yaml:3: expected one YAML document, got could not find expected ':'`}},
		{"not UTF-8", "log:\n  level: \xff\n", []string{`c.yaml:2: expected UTF-8 text, got "  level: \xff"`}},
		{"control character", "\x00\n", []string{`c.yaml:1: expected UTF-8 text, got "\x00"`}},

		{"short token", "admin: {token: hunter2}\n", []string{`c.yaml:1: admin.token: expected at least 16 printable ASCII characters without spaces, got another text`}},
		{"two tokens", "admin:\n  token: 0123456789abcdef\n  token_file: /f\n", []string{`c.yaml:3: admin.token_file: expected none beside admin.token, got "/f"`}},

		{"word as section", "\nlimits: 5\n", []string{`c.yaml:2: limits: expected a mapping of frame, line,`}},
		{"list as section", "pool:\n  - servers: 1\n", []string{`c.yaml:2: pool: expected a mapping of servers, store, store_memory, got a list`}},
		{"word as list", "listen: :4730\n", []string{`c.yaml:1: listen: expected a list of mappings, got ":4730"`}},
		{"word as item", "listen:\n  - address: :1\n  - :2\n", []string{`c.yaml:3: listen[2]: expected a mapping of address, reuse_port, tls, proxy_protocol, got ":2"`}},
		{"list as value", "pool:\n  servers: [1]\n", []string{`c.yaml:2: pool.servers: expected a value, got a list`}},
		{"keys below keys", "listen:\n  - address: :1\n    tls: {cert: c, certs: c}\n    proxy_protocol: 10.0.0.0/8\n  - address: unix:///s\n    proxy_protocol: {trusted: [10/8]}\n", []string{
			`c.yaml:3: listen[1].tls: expected one of the keys cert, key, client_ca, client_auth, min_version, got "certs"`,
			`c.yaml:4: listen[1].proxy_protocol: expected a mapping of trusted, got "10.0.0.0/8"`,
			`c.yaml:6: listen[2].proxy_protocol.trusted: expected an address or a range of them`,
			`c.yaml:3: listen[1].tls: expected the key key, got none`,
			`c.yaml:6: listen[2].proxy_protocol: expected a TCP address to listen at, got "unix:///s"`}},
		{"half of TLS", "listen: [{address: \":1\", tls: {cert: c, key: k, client_auth: optional}}]\nbackends:\n  - {name: a, address: x, tls: {key: k}}\n  - {name: b, address: y, tls: {insecure: yes, ca: c, min_version: 1.1}}\n", []string{
			`c.yaml:4: backends[2].tls.insecure: expected one of true, false, got "yes"`,
			`c.yaml:4: backends[2].tls.min_version: expected one of 1.2, 1.3, got "1.1"`,
			`c.yaml:1: listen[1].tls: expected the key client_ca beside client_auth, got none`,
			`c.yaml:3: backends[1].tls: expected the key ca, a file or system, got none`,
			`c.yaml:3: backends[1].tls: expected the key cert, got none`}},
		{"no value", "pool:\n  servers:\n", []string{`c.yaml:2: pool.servers: expected a value, got nothing`}},

		{"pool of one word", "backends: [{name: a, address: x}]\npools:\n  - name: p\n    backends: a\n", []string{
			`c.yaml:4: pools[1].backends: expected a list of values, got "a"`}},
		{"pool of nobody", "pools:\n  - name: p\n    backends: []\n  - name: q\n", []string{
			`c.yaml:3: pools[1].backends: expected a list of values, got an empty one`,
			`c.yaml:4: pools[2]: expected the key backends, got none`}},
		{"pool of strangers", "pools:\n  - name: p\n    backends: [pool-1, b,\n      pool-1, c~]\n", []string{
			`c.yaml:4: pools[1].backends: expected 1 to 24 letters`,
			`c.yaml:4: pools[1].backends: expected names of backends, got "b"`,
			`c.yaml:4: pools[1].backends: expected each backend once, got "pool-1"`,
			`c.yaml:2: routes: expected a last one for the function *`}},
		{"pools of one name", "pool: {servers: 2}\npools:\n  - {name: p, backends: [pool-1]}\n  - {name: p, backends: [pool-1]}\n", []string{
			`c.yaml:4: pools[2].name: expected one of its own, got "p" as in pools[1]`}},
		{"backend in no pool", "pool: {servers: 2}\npools:\n  - {name: default, backends: [pool-1]}\n", []string{
			`c.yaml:3: pools: expected backend pool-2 in one of them, got none`}},
		{"nobody for the default", "pools:\n  - {name: p, backends: [pool-1]}\nroutes:\n  - {function: f*, pool: p}\n", []string{
			`c.yaml:4: routes: expected a last one for the function *, because no backend is left for the pool default, got none`}},
		{"route to nowhere", "routes:\n  - {function: f, pool: p}\n  - {function: \"\", pool: default}\n  - {pool: default}\n  - {function: x}\n", []string{
			`c.yaml:3: routes[2].function: expected a function's name with a * for any text, of at most 255 bytes, got ""`,
			`c.yaml:2: routes[1].pool: expected the name of a pool, got "p"`,
			`c.yaml:4: routes[3]: expected the key function, got none`,
			`c.yaml:5: routes[4]: expected the key pool, got none`}},
		{"rules of no use", "listen:\n  - {address: \":1\", tls: {cert: c, key: k, client_ca: a}}\n  - address: \":2\"\naccess:\n  - listeners: [\":2\", \":3\", \"::1\"]\n    certificates: [\"*\"]\n  - certificates: [\"\"]\n  - admin: all\n  - addresses: [10.0.0.0/33]\n    submit: [\"\"]\n    work: []\n  - submit: f\n", []string{
			`c.yaml:5: access[1].listeners: expected host:port, [ipv6]:port or unix:///path, got "::1"`,
			`c.yaml:7: access[2].certificates: expected a name in a certificate with a * for any text, of at most 255 bytes, got ""`,
			`c.yaml:8: access[3].admin: expected one of none, read, write, got "all"`,
			`c.yaml:9: access[4].addresses: expected an address or a range of them, such as 10.0.0.0/8, got "10.0.0.0/33"`,
			`c.yaml:10: access[4].submit: expected a function's name with a * for any text, of at most 255 bytes, got ""`,
			`c.yaml:11: access[4].work: expected a list of values, got an empty one`,
			`c.yaml:12: access[5].submit: expected a list of values, got "f"`,
			`c.yaml:5: access[1].listeners: expected addresses under listen, got ":3"`,
			`c.yaml:6: access[1].certificates: expected a listener of this rule with tls.client_ca, got none`,
			`c.yaml:9: access[4]: expected no rule behind access[3], which fits everybody, got one`}},

		{"admin socket", "admin: {socket: run/a.sock, listen: nowhere:x}\n", []string{
			`c.yaml:1: admin.socket: expected auto, an absolute path of at most 107 bytes, or "" for none, got "run/a.sock"`,
			`c.yaml:1: admin.listen: expected a port from 1 to 65535, got "nowhere:x"`}},

		{"duration without unit", "timeouts:\n  drain: 30\n", []string{
			`c.yaml:2: timeouts.drain: expected a duration with its unit, such as 400ms or 5s, got "30"`}},
		{"negative duration", "timeouts:\n  drain: -1s\n", []string{`c.yaml:2: timeouts.drain: expected a duration from 0s to 24h0m0s, got "-1s"`}},
		{"zero grab", "timeouts: {grab: 0}\n", []string{`c.yaml:1: timeouts.grab: expected a duration from 1ms to`}},
		{"size in MB", "limits:\n  line: 1KiB\n  frame: 64MB\n", []string{
			`c.yaml:3: limits.frame: expected a size with its unit B, KiB, MiB or GiB, such as 64MiB (write 64MiB, in steps of 1024), got "64MB"`}},
		{"size in k", "limits: {line: 8k}\n", []string{`c.yaml:1: limits.line: expected a size with its unit B, KiB, MiB or GiB, such as 64MiB (write 8KiB,`}},
		{"size without unit", "limits: {line: 8192}\n", []string{`c.yaml:1: limits.line: expected a size with its unit B, KiB, MiB or GiB, such as 64MiB, got "8192"`}},
		{"size of an unknown unit", "limits: {line: 8parsec}\n", []string{`c.yaml:1: limits.line: expected a size with its unit`}},
		{"fraction of a size", "limits: {frame: 1.5GiB}\n", []string{`c.yaml:1: limits.frame: expected a size with its unit`}},
		{"size too large", "limits: {frame: 4GiB}\n", []string{`c.yaml:1: limits.frame: expected a size from 64KiB to 4095MiB, got "4GiB"`}},
		{"size beyond counting", "limits: {frame: 99999999999999999999GiB}\n", []string{`c.yaml:1: limits.frame: expected a size from`}},
		{"size zero", "limits: {max_pending: 0}\n", []string{`c.yaml:1: limits.max_pending: expected a size from`}},
		{"fraction", "pool: {servers: 1.5}\n", []string{`c.yaml:1: pool.servers: expected a whole number from 0 to 64, got "1.5"`}},
		{"too many", "pool: {servers: 65}\n", []string{`c.yaml:1: pool.servers: expected a whole number from 0 to 64`}},
		{"level", "log: {level: INFO}\n", []string{`c.yaml:1: log.level: expected one of debug, info, warn, error, got "INFO"`}},
		{"format", "log:\n  format: xml\n", []string{`c.yaml:2: log.format: expected one of auto, text, json, got "xml"`}},
		{"unit", "timeouts: {can_do_unit: m}\n", []string{`c.yaml:1: timeouts.can_do_unit: expected one of ms, s, got "m"`}},
		{"pending below frame", "limits:\n  max_pending: 1MiB\n  frame: 2MiB\n", []string{
			`c.yaml:2: limits.max_pending: expected at least limits.frame, 2MiB, got 1MiB`}},

		{"listen empty", "log: {}\nlisten: []\n", []string{`c.yaml:2: listen: expected at least one address, got none`}},
		{"listen twice", "listen:\n - address: :4730\n - address: \":\"\n - address: \":04730\"\n", []string{
			`c.yaml:3: listen[2].address: expected a port from 1 to 65535`,
			`c.yaml:4: listen[3].address: expected one of its own, got ":4730" as in listen[1]`}},
		{"a shared path", "pool: {servers: 0}\nbackends: [{name: a, address: x}]\nlisten: [{address: \"unix:///s\", reuse_port: true}]\n", []string{
			`c.yaml:3: listen[1].reuse_port: expected a TCP address to share, got "unix:///s"`}},
		{"a shared built-in pool", "listen: [{address: \":1\", reuse_port: true}]\nspool: {path: /x}\n", []string{
			`c.yaml:1: listen[1].reuse_port: expected pool.servers to be 0, as one process alone has the jobs of its built-in pool, got 1`,
			`c.yaml:1: listen[1].reuse_port: expected no spool.path, as one process alone has its spool, got "/x"`,
			`c.yaml:2: spool.path: expected backends, for whose jobs it is, got none`}},
		{"perhaps shared", "listen: [{address: \":1\", reuse_port: yes}]\n", []string{
			`c.yaml:1: listen[1].reuse_port: expected one of true, false, got "yes"`}},
		{"backend without name", "backends:\n  - address: a\n", []string{`c.yaml:2: backends[1]: expected the key name, got none`}},
		{"backend without address", "backends:\n\n  - name: a\n", []string{`c.yaml:3: backends[1]: expected the key address, got none`}},
		{"backend without anything", "backends:\n  - {}\n", []string{
			`c.yaml:2: backends[1]: expected the key name, got none`, `c.yaml:2: backends[1]: expected the key address, got none`}},
		{"name with ~", "backends:\n  - name: a~b\n    address: a\n", []string{
			`c.yaml:2: backends[1].name: expected 1 to 24 letters, digits, dots, dashes or underscores, got "a~b"`}},
		{"name too long", "backends: [{name: abcdefghijklmnopqrstuvwxy, address: a}]\n", []string{`c.yaml:1: backends[1].name: expected 1 to 24`}},
		{"name empty", "backends: [{name: \"\", address: a}]\n", []string{`c.yaml:1: backends[1].name: expected 1 to 24`}},
		{"name twice", "backends:\n  - {name: a, address: a}\n  - {name: a, address: b}\n", []string{
			`c.yaml:3: backends[2].name: expected one of its own, got "a" as in backends[1]`}},
		{"address twice", "backends:\n  - {name: a, address: x}\n  - {name: b, address: \"x:4730\"}\n", []string{
			`c.yaml:3: backends[2].address: expected one of its own, got "x:4730" as in backends[1]`}},
		{"weight zero", "backends:\n  - name: a\n    address: x\n    weight: 0\n", []string{
			`c.yaml:4: backends[1].weight: expected a whole number from 1 to 1000, got "0"`}},
		{"pool's name", "pool: {servers: 2}\nbackends:\n  - name: pool-2\n    address: x\n", []string{
			`c.yaml:3: backends[1].name: expected a name that neither the built-in pool nor the spool takes, got "pool-2"`}},
		{"the spool's name", "backends: [{name: spool, address: x}, {name: b, address: y}]\n", []string{
			`c.yaml:1: backends[1].name: expected a name that neither the built-in pool nor the spool takes, got "spool"`}},
		{"a spool for nobody", "spool: {path: /x, rate: 0}\n", []string{
			`c.yaml:1: spool.rate: expected a whole number from 1 to 1000000, got "0"`,
			`c.yaml:1: spool.path: expected backends, for whose jobs it is, got none`}},
		{"nothing behind", "pool:\n  servers: 0\n", []string{`c.yaml:2: expected backends, or pool.servers of 1 or more, got neither`}},

		{"variable not set", "log:\n  level: ${env:NOT_SET}\n", []string{
			`c.yaml:2: log.level: expected the environment variable NOT_SET to be set, or ${env:NOT_SET:-default}, got "${env:NOT_SET}"`}},
		{"bad value of a variable", "log:\n  level: ${env:LEVEL}\n", []string{`c.yaml:2: log.level: expected one of debug, info, warn, error, got "loud"`}},

		{"several at once", "listen:\n  - adress: :1\npool:\n  servers: x\n\nbackends:\n  - name: a b\n    address: host:port\n", []string{
			`c.yaml:2: listen[1]: expected one of the keys address, reuse_port, tls, proxy_protocol, got "adress"`,
			`c.yaml:4: pool.servers: expected a whole number`,
			`c.yaml:7: backends[1].name: expected 1 to 24`,
			`c.yaml:8: backends[1].address: expected a port from 1 to 65535, got "host:port"`,
			`c.yaml:2: listen[1]: expected the key address, got none`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse("c.yaml", []byte(c.text), testEnvironment)
			checkProblems(t, err, c.want)
		})
	}
}

func TestMistakesOutsideTheFile(t *testing.T) {
	_, err := Parse("", nil, noEnvironment,
		[]Setting{{"GEARGATE_POOL", "pool.servers", "many"}},
		[]Setting{{"--listen", "listen", "[::1"}, {"--backend", "backends", "host:4730"}, {"--backend", "backends", "a=h,weight=0"},
			{"--backend", "backends", "a=h,wait=1"}})
	checkProblems(t, err, []string{
		`GEARGATE_POOL: pool.servers: expected a whole number from 0 to 64, got "many"`,
		`--listen: listen[1].address: expected an IPv6 address in the brackets, got "[::1"`,
		`--backend: expected NAME=ADDRESS[,weight=N], got "host:4730"`,
		`--backend: backends[2].weight: expected a whole number from 1 to 1000, got "0"`,
		`--backend: backends[3].address: expected host:port, [ipv6]:port or unix:///path, got "h,wait=1"`,
		`--backend: backends[3].name: expected one of its own, got "a" as in backends[2]`,
	})
}

func checkProblems(t *testing.T, err error, want []string) {
	t.Helper()
	var problems Problems
	if !errors.As(err, &problems) {
		t.Fatalf("got %v, want Problems", err)
	}
	got := strings.Split(problems.Error(), "\n")
	if len(got) != len(want) {
		t.Fatalf("got %d problems, want %d:\n%v", len(got), len(want), err)
	}
	for i := range got {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("got  %s\nwant %s", got[i], want[i])
		}
	}
}

func testEnvironment(name string) (string, bool) {
	value, ok := map[string]string{"LEVEL": "loud", "HOST": "h", "EMPTY": ""}[name]
	return value, ok
}

func TestExpand(t *testing.T) {
	for text, want := range map[string]string{
		"plain":                              "plain",
		"${env:HOST}":                        "h",
		"${env:HOST}:${env:PORT:-1}":         "h:1",
		"${env:EMPTY}":                       "",
		"${env:EMPTY:-x}":                    "x",
		"${env:NONE:-}":                      "",
		"${env:NONE:-unix:///a}":             "unix:///a",
		"$HOST ${HOST} ${env:} ${env:HO-ST}": "$HOST ${HOST} ${env:} ${env:HO-ST}",
	} {
		if got, err := expand(text, testEnvironment); got != want || err != nil {
			t.Errorf("%s: got %q, %v, want %q", text, got, err, want)
		}
	}
}

func TestAddress(t *testing.T) {
	for _, c := range []struct{ text, listen, dial string }{
		{"host", "host:4730", "host:4730"},
		{"host:1", "host:1", "host:1"},
		{"10.0.0.1:65535", "10.0.0.1:65535", "10.0.0.1:65535"},
		{"[::1]", "[::1]:4730", "[::1]:4730"},
		{"[::1]:2", "[::1]:2", "[::1]:2"},
		{"[fe80::1%eth0]:2", "[fe80::1%eth0]:2", "[fe80::1%eth0]:2"},
		{"unix:///run/g", "unix:///run/g", "unix:///run/g"},
		{":4730", ":4730", ""},
		{"host:0", "host:0", ""},
		{"", "", ""}, {":", "", ""}, {"host:", "", ""}, {"host:65536", "", ""}, {"host:-1", "", ""}, {"host:gearman", "", ""},
		{"::1", "", ""}, {"::1:4730", "", ""}, {"[::1", "", ""}, {"::1]", "", ""}, {"[]:1", "", ""}, {"[1.2.3.4]:1", "", ""},
		{"[::1]x:1", "", ""}, {"tcp://host:1", "", ""}, {"unix://run/g", "", ""}, {"a b:1", "", ""},
		{"unix:///" + strings.Repeat("x", 107), "", ""},
	} {
		for listening, want := range map[bool]string{true: c.listen, false: c.dial} {
			var got string
			if err := address(&got, listening)(c.text); got != want || (err == nil) != (want != "") {
				t.Errorf("%q, listening %v: got %q, %v, want %q", c.text, listening, got, err, want)
			}
		}
	}
}

// Whatever the text, Parse returns a usable configuration or problems that
// each name a place.
func FuzzParse(f *testing.F) {
	f.Add("listen:\n  - address: unix:///a\nbackends:\n  - {name: a, address: '[::1]', weight: 2}\n")
	f.Add("pool: &p {servers: 1}\nlog: *p\nlimits: {frame: 64MB, line: ${env:HOST:-1KiB}}\n")
	f.Add("a: &a [*a]\n")
	f.Add("? [x]\n: - y\n---\n...\n")
	f.Fuzz(func(t *testing.T, text string) {
		config, err := Parse("c.yaml", []byte(text), testEnvironment)
		if err == nil {
			if len(config.Listen) == 0 || len(config.AllBackends()) == 0 || config.Limits.MaxPending < config.Limits.Frame {
				t.Errorf("unusable: %+v", config)
			}
			return
		}
		var problems Problems
		if !errors.As(err, &problems) || len(problems) == 0 {
			t.Fatalf("got %v, want Problems", err)
		}
		for _, problem := range problems {
			if !strings.HasPrefix(problem.Where, "c.yaml") && problem.Where != "configuration" {
				t.Errorf("no place: %+v", problem)
			}
		}
	})
}
