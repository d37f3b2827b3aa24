package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"

	"github.com/charmbracelet/x/term"

	"github.com/geargate/geargate/cmd/geargate/top"
	"github.com/geargate/geargate/proxy"
)

const (
	topInterval = time.Second
	topLeast    = 100 * time.Millisecond // between questions: they cost the front door something
	topTimeout  = 10 * time.Second       // for an answer
)

// showTop shows a running geargate again and again: on a terminal for whoever
// sits there, elsewhere as plain text.
func showTop(args []string, stdout, stderr io.Writer) int {
	flags := newConfigFlags("top")
	interval, count := topInterval, 0
	batch := flags.set.Bool("batch", false, "")
	flags.set.Func("interval", "", func(text string) (err error) {
		if interval, err = time.ParseDuration(text); err == nil && interval < topLeast {
			err = fmt.Errorf("expected %v at least", topLeast)
		}
		return err
	})
	flags.set.Func("count", "", func(text string) (err error) {
		if count, err = strconv.Atoi(text); err != nil || count < 1 {
			err = fmt.Errorf("expected a whole number from 1")
		}
		return err
	})
	return controlled(flags, args, 0, stdout, stderr, func(c *controller) error {
		c.client.Timeout = topTimeout
		switch {
		case *batch || count > 0:
			return top.Print(watched{c}, interval, count, stdout)
		case !onTerminal(stdout):
			return top.Print(watched{c}, interval, 1, stdout)
		}
		return top.Run(watched{c}, interval, stdout)
	})
}

// onTerminal reports whether w is a terminal on which a cursor can be moved.
func onTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(file.Fd()) && os.Getenv("TERM") != "dumb"
}

// A watched controller is what top looks at.
type watched struct{ *controller }

// Status asks for the state, the backends' queues included.
func (w watched) Status() (proxy.Status, error) { return w.status() }

// SetDrained drains or undrains a backend.
func (w watched) SetDrained(backend string, drained bool) error {
	verb := "undrain"
	if drained {
		verb = "drain"
	}
	return w.ask(http.MethodPost, verb, url.Values{"backend": {backend}}, &struct{}{})
}
