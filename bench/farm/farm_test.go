package farm

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestSetupsReadAndWrite(t *testing.T) {
	tests := map[string]Setup{
		"gearmand":             {Count: 1},
		"gearmand-t1":          {Single: true, Count: 1},
		"haproxy>gearmand":     {Front: "haproxy", Count: 1},
		"geargate>gearmand-t1": {Front: "geargate", Single: true, Count: 1},
		"geargate>gearmand*3":  {Front: "geargate", Count: 3},
		"scraped>gearmand*2":   {Front: "scraped", Count: 2},
		"other/3>gearmand":     {Front: "other", Links: 3, Count: 1},
		"geargate/4>gearmand":  {Front: "geargate", Links: 4, Count: 1},
		"builtin":              {Front: "geargate", Builtin: true, Count: 1},
		"builtin*4":            {Front: "geargate", Builtin: true, Count: 4},
		"builtin-durable":      {Front: "geargate", Builtin: true, Durable: true, Count: 1},
		"gearmand-durable":     {Durable: true, Count: 1},
	}
	for text, want := range tests {
		got, err := ParseSetup(text)
		if err != nil || got != want || got.String() != text {
			t.Errorf("%s: got %+v (%v), %v; expected %+v", text, got, got, err, want)
		}
	}
	for _, text := range []string{"", "redis", "nginx>gearmand", "gearmand*2", "haproxy>gearmand*2", "builtin*0", "geargate>builtin", "geargate/0>gearmand", "geargate/x>gearmand", "haproxy/2>gearmand", "builtin*x", "gearmand-t1-durable"} {
		if got, err := ParseSetup(text); err == nil {
			t.Errorf("%q was read as %+v, expected an error", text, got)
		}
	}
}

func TestGearmandRunsUntilStopped(t *testing.T) {
	f, err := Start(t.Context(), Setup{Count: 1}, Programs{})
	if err != nil {
		t.Fatal(err)
	}
	pid := f.Servers[0].PID
	first, err := Use(pid)
	if err != nil || first.RSS < 1<<20 || first.CPU <= 0 {
		t.Errorf("gearmand uses %+v, %v", first, err)
	}
	conn, err := net.Dial("tcp", f.Address)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "version\n")
	answer := make([]byte, 64)
	n, err := conn.Read(answer)
	if err != nil || !strings.HasPrefix(string(answer[:n]), "OK ") {
		t.Errorf("version answered %q, %v", answer[:n], err)
	}
	conn.Close()
	if later, err := Use(pid); err != nil || later.CPU <= first.CPU {
		t.Errorf("CPU went from %d to %d ns, %v", first.CPU, later.CPU, err)
	}
	f.Stop()
	if _, err := os.Stat(fmt.Sprintf("/proc/%d", pid)); err == nil {
		t.Errorf("process %d is still there", pid)
	}
}

func TestCPUIsThatOfAllThreadsToTheNanosecond(t *testing.T) {
	busy := exec.Command("sh", "-c", "while :; do :; done")
	if err := busy.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		busy.Process.Kill()
		busy.Wait()
	}()
	for deadline := time.Now().Add(10 * time.Second); ; {
		u, err := Use(busy.Process.Pid)
		if err != nil {
			t.Fatal(err)
		}
		if u.CPU > int64(50*time.Millisecond) {
			if u.CPU > int64(time.Minute) {
				t.Errorf("CPU is %d ns after a moment", u.CPU)
			}
			if u.CPU%int64(time.Millisecond) == 0 {
				t.Errorf("CPU is %d ns, expected a finer clock", u.CPU)
			}
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("CPU of a busy process is only %d ns", u.CPU)
		}
	}
}

func TestWhatCannotStartSaysWhy(t *testing.T) {
	_, err := Start(t.Context(), Setup{Builtin: true, Count: 1}, Programs{Geargate: "/nowhere/geargate"})
	if err == nil || !strings.Contains(err.Error(), "builtin") || !strings.Contains(err.Error(), "not installed") {
		t.Errorf("got %v, expected that it is not installed", err)
	}
	_, err = Start(t.Context(), Setup{Builtin: true, Count: 1}, Programs{Geargate: "false"})
	if err == nil || !strings.Contains(err.Error(), "ended early") {
		t.Errorf("got %v, expected that it ended early", err)
	}
}
