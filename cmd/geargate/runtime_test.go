package main

import (
	"io"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
)

func TestOneEventLoopHasOneProcessor(t *testing.T) {
	for name, test := range map[string]struct {
		processors, loops, want int
		set                     string
		secure                  bool
	}{
		"one event loop":     {2, 0, 1, "", false},
		"two event loops":    {4, 0, 4, "", false},
		"one was asked for":  {4, 1, 1, "", false},
		"TLS":                {2, 0, 2, "", true},
		"GOMAXPROCS was set": {2, 0, 2, "2", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("GOMAXPROCS", test.set)
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(test.processors))
			newProcessors(test.loops).fit(test.secure)
			if got := runtime.GOMAXPROCS(0); got != test.want {
				t.Errorf("%d processors, expected %d", got, test.want)
			}
		})
	}
}

// A reload that begins to use TLS, or ends it, leaves what a start would.
func TestReloadFitsProcessors(t *testing.T) {
	t.Setenv("GOMAXPROCS", "")
	defer runtime.SetDefaultGOMAXPROCS()
	runtime.SetDefaultGOMAXPROCS()
	all := runtime.GOMAXPROCS(0)
	p := newProcessors(1)
	for _, step := range []struct {
		secure bool
		want   int
	}{{false, 1}, {false, 1}, {true, all}, {true, all}, {false, 1}} {
		p.fit(step.secure)
		if got := runtime.GOMAXPROCS(0); got != step.want {
			t.Errorf("TLS is %v: %d processors, expected %d of %d", step.secure, got, step.want, all)
		}
	}
	t.Setenv("GOMAXPROCS", "1")
	p = newProcessors(1)
	runtime.GOMAXPROCS(1)
	if p.fit(true); runtime.GOMAXPROCS(0) != 1 {
		t.Error("who set GOMAXPROCS was overruled")
	}
}

// What the metrics tell after a reload is what they tell of a process that began
// with the same file.
func TestTLSByAReloadHasAllProcessors(t *testing.T) {
	processors := func(admin string) string {
		answer, err := http.Get("http://" + admin + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		_, after, _ := strings.Cut(string(text), "\ngo_sched_gomaxprocs_threads ")
		n, _, _ := strings.Cut(after, "\n")
		return n
	}
	began := map[string]string{} // by file
	admin := freeLoopback(t)
	plain := "admin: {listen: \"" + admin + "\"}\nbackends: [{name: a, address: 127.0.0.1:1}]\n"
	secure := strings.Replace(plain, ":1}", ":1, tls: {insecure: true}}", 1)
	for _, text := range []string{secure, plain} {
		p := serveControlled(t, text)
		if began[text] = processors(admin); began[text] == "" {
			t.Fatal("the metrics tell no number of processors")
		}
		if text == secure {
			p.Process.Kill()
			p.Wait()
			continue
		}
		for _, next := range []string{secure, plain} {
			p.write(t, next)
			p.ask("reload").says(t, 0, `(?s)configuration . is in force\n.*`, ``)
			if got := processors(admin); got != began[next] {
				t.Errorf("%s processors after a reload, expected %s as after a start with\n%s", got, began[next], next)
			}
		}
	}
}

func TestLittleOfALargeHeapIsGarbage(t *testing.T) {
	for name, test := range map[string]struct {
		set  string
		want int
	}{
		"by default":   {"", garbagePercent},
		"GOGC was set": {"70", 70},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("GOGC", test.set)
			before := debug.SetGCPercent(70)
			fitCollector()
			if got := debug.SetGCPercent(before); got != test.want {
				t.Errorf("%d percent, expected %d", got, test.want)
			}
			if (len(unused) == headroom) != (test.set == "") {
				t.Errorf("%d bytes of headroom", len(unused))
			}
			unused = nil
		})
	}
}
