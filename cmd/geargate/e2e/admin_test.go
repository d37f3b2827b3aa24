package e2e

import (
	"errors"
	"io"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/geargate/geargate/protocol"
)

// Every answer of one line, with the end that belongs to it: values end in LF,
// OK and ERR in CR LF.
func TestAdminAnswersOfOneLine(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		f.connect("client").submit(protocol.SubmitJobBg, "known", "", "x")
		incomplete := "ERR INVALID_ARGUMENTS An+incomplete+set+of+arguments+was+sent+to+this+command+"
		unknown := "ERR UNKNOWN_COMMAND Unknown+server+command"
		for line, want := range map[string]string{
			"maxqueue known":         "OK\r\n",
			"maxqueue known 10":      "OK\r\n",
			"maxqueue known 5 4 3":   "OK\r\n",
			"MAXQUEUE known":         "OK\r\n",
			"maxqueue unheard-of 1":  "OK\r\n",
			"maxqueue":               incomplete + "maxqueue\r\n",
			"create":                 incomplete + "create\r\n",
			"drop":                   incomplete + "drop\r\n",
			"create function new\r":  "OK\r\n",
			"create  function new\r": "OK\r\n",
			"drop function nothing":  "ERR function not found\r\n",
			"cancel job H:nobody:1":  "ERR UNKNOWN_JOB\r\n",
			"cancel x y":             "ERR UNKNOWN_ERROR\r\n",
			"cancel job a b":         "ERR UNKNOWN_ERROR\r\n",
			"cancel job":             unknown + "cancel\r\n",
			"show":                   unknown + "show\r\n",
			"show foo":               "ERR UNKNOWN_SHOW_ARGUMENTS\r\n",
			"shutdown":               unknown + "shutdown\r\n",
			"help":                   unknown + "help\r\n",
			" status":                unknown + "\r\n",
			"":                       unknown + "\r\n",
			"getpid":                 "OK " + strconv.Itoa(f.front.pid()) + "\n",
			"GetPid\r":               "OK " + strconv.Itoa(f.front.pid()) + "\n",
		} {
			if got := f.ask(line); got != want {
				t.Errorf("%q is answered %q, expected %q", line, got, want)
			}
		}
		if got := f.ask("verbose"); !regexp.MustCompile(`^OK [A-Z]+\n$`).MatchString(got) {
			t.Errorf("verbose is answered %q", got)
		}
		if got := f.ask("version"); !regexp.MustCompile(`^OK [0-9][^\s]*\n$`).MatchString(got) {
			t.Errorf("version is answered %q", got)
		}
	})
}

// `create function` in a line without CR: gearmand loses the name's last
// character; Geargate does not. `drop function` refuses while a worker or a
// running job needs the function.
func TestCreateAndDropFunction(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		f.ask("create function named")
		want := "named"
		if !f.geargate {
			want = "name"
		}
		if got := f.table("status"); !slices.Equal(got, []string{want + "\t0\t0\t0"}) {
			t.Errorf("status lists %q, expected %s alone", got, want)
		}
		if got := f.ask("drop function " + want); got != "OK\r\n" {
			t.Errorf("drop of an unused function: %q", got)
		}
		if got := f.table("status"); len(got) != 0 {
			t.Errorf("status lists %q, expected nothing", got)
		}

		client, worker := f.connect("client"), f.worker("worker", "f")
		busy := "ERR there are still connected workers or executing clients\r\n"
		if got := f.ask("drop function f"); got != busy {
			t.Errorf("drop of a worker's function: %q", got)
		}
		handle := client.submit(protocol.SubmitJob, "f", "", "x")
		worker.job("f", "x")
		if got := f.ask("drop function f"); got != busy {
			t.Errorf("drop of a running function: %q", got)
		}
		worker.send(protocol.WorkComplete, handle, "")
		worker.send(protocol.CantDo, "f")
		worker.fence()
		f.untilCounts("f", counts{0, 0, 0})
		eventually(t, "the function may be dropped", func() bool { return f.ask("drop function f") == "OK\r\n" })
	})
}

// Several lines in one write are answered in order, and so is text mixed with
// packets.
func TestTextAndPacketsInOneWrite(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		f.connect("client").submit(protocol.SubmitJobBg, "f", "", "x")
		c := f.connect("mixed")
		c.writeRaw("status\nversion\r\n" + frame(protocol.EchoReq, "one") + "prioritystatus\n" +
			frame(protocol.SubmitJobBg, "f", "", "x") + frame(protocol.EchoReq, "two") + "bogus\n")
		if got := c.tableLines(); !slices.Equal(got, []string{"f\t1\t0\t0"}) {
			t.Errorf("status is answered %q", got)
		}
		if got := c.line(); !strings.HasPrefix(got, "OK ") {
			t.Errorf("version is answered %q", got)
		}
		c.want(protocol.EchoRes, "one")
		if got := c.tableLines(); !slices.Equal(got, []string{"f\t0\t1\t0\t0"}) {
			t.Errorf("prioritystatus is answered %q", got)
		}
		c.created()
		c.want(protocol.EchoRes, "two")
		if got := c.line(); got != "ERR UNKNOWN_COMMAND Unknown+server+commandbogus\r\n" {
			t.Errorf("bogus is answered %q", got)
		}
	})
}

// Who closes its sending half behind a question, as shell pipelines do, still
// gets the answer. gearmand gives it only if the end comes late enough.
func TestHalfClosedConnectionIsAnswered(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		f.connect("client").submit(protocol.SubmitJobBg, "f", "", "x")
		for range 20 {
			c := f.connect("half closed")
			c.writeRaw("status\n")
			c.Conn.(*net.TCPConn).CloseWrite()
			lines, err := c.readTable()
			if !f.geargate && errors.Is(err, io.EOF) {
				continue
			}
			if err != nil || !slices.Equal(lines, []string{"f\t1\t0\t0"}) {
				t.Fatalf("status is answered %q (%v) to a half-closed connection", lines, err)
			}
			c.gone()
		}
	})
}

// `workers` lists every connection with its address, id and functions, the
// newest first; it does not list what is behind the front door.
func TestWorkersTable(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		worker := f.worker("worker", "alpha", "beta", "gamma")
		worker.send(protocol.SetClientID, "wk-1")
		worker.fence()
		client := f.connect("client")
		client.submit(protocol.SubmitJobBg, "alpha", "", "x")

		eventually(t, "three connections are listed", func() bool { return len(f.table("workers")) == 3 })
		form := regexp.MustCompile(`^\d+ 127\.0\.0\.1 (- :|wk-1 : gamma beta alpha)$`)
		named := 0
		for _, line := range f.table("workers") {
			if !form.MatchString(line) {
				t.Errorf("workers lists %q, expected the form %v", line, form)
			}
			if strings.Contains(line, "wk-1") {
				named++
			}
		}
		if named != 1 {
			t.Errorf("workers lists wk-1 %d times", named)
		}
	})
}
