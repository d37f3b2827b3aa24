package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/geargate/geargate/proxy"
)

// drain keeps new jobs away from a backend and waits until it is empty.
func drain(args []string, stdout, stderr io.Writer) int {
	flags := newConfigFlags("drain")
	noWait := flags.set.Bool("no-wait", false, "")
	timeout := flags.set.Duration("timeout", 0, "")
	return controlled(flags, args, 1, stdout, stderr, func(c *controller) error {
		name := flags.operands[0]
		if err := c.ask(http.MethodPost, "drain", url.Values{"backend": {name}}, &struct{}{}); err != nil {
			return err
		}
		fmt.Fprintf(stdout, "%s gets no new jobs\n", name)
		if *noWait {
			return nil
		}
		return waitEmpty(c, name, *timeout, stdout)
	})
}

// undrain lets new jobs come to a backend again.
func undrain(args []string, stdout, stderr io.Writer) int {
	flags := newConfigFlags("undrain")
	return controlled(flags, args, 1, stdout, stderr, func(c *controller) error {
		name := flags.operands[0]
		if err := c.ask(http.MethodPost, "undrain", url.Values{"backend": {name}}, &struct{}{}); err != nil {
			return err
		}
		fmt.Fprintf(stdout, "%s gets new jobs\n", name)
		return nil
	})
}

// drainInterval is how often a drain looks how far it is.
const drainInterval = 500 * time.Millisecond

// waitEmpty returns when the backend is empty, and says how far it is whenever
// that changes. Zero is no timeout.
func waitEmpty(c *controller, name string, timeout time.Duration, stdout io.Writer) error {
	began := time.Now()
	for last := ""; ; time.Sleep(drainInterval) {
		s, err := c.status()
		if err != nil {
			return err
		}
		b := find(s.Backends, name)
		switch {
		case b == nil:
			return fmt.Errorf("%s is not there any more", name)
		case !b.Drained && !b.Leaving:
			return fmt.Errorf("%s gets new jobs again: somebody else has ended the drain", name)
		case b.Empty && b.State == "up":
			fmt.Fprintf(stdout, "%s is empty\n", name)
			return nil
		}
		if now := progress(b); now != last {
			last = now
			fmt.Fprintf(stdout, "%s: %s\n", name, now)
		}
		if timeout > 0 && time.Since(began) >= timeout {
			return fmt.Errorf("%s is not empty after %v; it still gets no new jobs", name, timeout)
		}
	}
}

func find(backends []proxy.BackendStatus, name string) *proxy.BackendStatus {
	for i := range backends {
		if backends[i].Name == name {
			return &backends[i]
		}
	}
	return nil
}

// progress says what a backend still has to do.
func progress(b *proxy.BackendStatus) string {
	switch {
	case b.State == "ejected" || b.State == "probing":
		return "is down: what it keeps on disk cannot be known"
	case b.Queues == nil:
		return fmt.Sprintf("%d foreground jobs of clients here; it has not said how many jobs it has", b.Foreground)
	}
	return fmt.Sprintf("%d jobs queued, %d running, %d of them foreground jobs of clients here",
		b.Queues.Queued, b.Queues.Running, b.Foreground)
}
