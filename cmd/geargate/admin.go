package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/geargate/geargate/proxy"
)

// A controller asks a running geargate over its admin socket.
type controller struct {
	sockets []string // where it may be
	client  http.Client
}

// answerTimeout is how long the other side may take to answer. It asks
// backends itself, for timeouts.admin at most.
const answerTimeout = 2 * time.Minute

// newController finds the socket by flag, environment or configuration.
func newController(flags *configFlags) (*controller, error) {
	config, err := flags.load()
	if path := flags.adminPath(); path != "" {
		config, err = proxy.Config{Admin: proxy.Admin{Socket: path}}, nil
	}
	if err != nil {
		return nil, err
	}
	c := &controller{sockets: config.AdminSockets(os.LookupEnv)}
	if len(c.sockets) == 0 {
		return nil, errors.New("the configuration has no admin socket; say --admin PATH")
	}
	// Each request has its own connection, and so finds a successor at once.
	c.client = http.Client{Timeout: answerTimeout, Transport: &http.Transport{DialContext: c.dial, DisableKeepAlives: true}}
	return c, nil
}

// adminPath returns the socket's path where it is given outside the file, so
// that a file with mistakes does not matter.
func (f *configFlags) adminPath() string {
	path := os.Getenv("GEARGATE_ADMIN")
	for _, s := range f.settings {
		if s.Key == "admin.socket" {
			path = s.Value
		}
	}
	if !strings.HasPrefix(path, "/") {
		return ""
	}
	return path
}

// dial connects to the first socket that answers.
func (c *controller) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	var all []error
	for _, path := range c.sockets {
		var dialer net.Dialer
		nc, err := dialer.DialContext(ctx, "unix", path)
		if err == nil {
			return nc, nil
		}
		all = append(all, err)
	}
	return nil, fmt.Errorf("no geargate answers: %w", errors.Join(all...))
}

// ask sends a request and reads the answer into body.
func (c *controller) ask(method, resource string, values url.Values, body any) error {
	request, err := http.NewRequest(method, "http://geargate/api/v1/"+resource+"?"+values.Encode(), nil)
	if err != nil {
		return err
	}
	response, err := c.client.Do(request)
	var failed *url.Error
	if errors.As(err, &failed) && failed.Timeout() {
		return fmt.Errorf("expected an answer within %v, got none", c.client.Timeout)
	}
	if failed != nil {
		return failed.Err // without the address, which is made up
	}
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		var refusal proxy.Refusal
		if err := json.NewDecoder(response.Body).Decode(&refusal); err != nil {
			return fmt.Errorf("the answer is %s", response.Status)
		}
		return errors.New(refusal.Error)
	}
	return json.NewDecoder(response.Body).Decode(body)
}

// status asks for the state, the backends' queues included.
func (c *controller) status() (proxy.Status, error) {
	var s proxy.Status
	err := c.ask(http.MethodGet, "status", url.Values{"queues": {"true"}}, &s)
	return s, err
}

// controlled parses args of a verb that asks a running geargate, and does it.
func controlled(flags *configFlags, args []string, operands int, stdout, stderr io.Writer, do func(*controller) error) int {
	flags.mixed = true
	if code, goOn := flags.parse(args, operands, stdout, stderr); !goOn {
		return code
	}
	c, err := newController(flags)
	if err == nil {
		err = do(c)
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitFailure
	}
	return exitOK
}

// reload has the running geargate put its configuration in force as it is now.
func reload(args []string, stdout, stderr io.Writer) int {
	return controlled(newConfigFlags("reload"), args, 0, stdout, stderr, func(c *controller) error {
		var done proxy.Reloaded
		if err := c.ask(http.MethodPost, "reload", nil, &done); err != nil {
			return err
		}
		fmt.Fprintf(stdout, "configuration %d is in force\n", done.Configuration)
		for _, change := range done.Changed {
			fmt.Fprintln(stdout, change)
		}
		for _, change := range done.Waiting {
			fmt.Fprintln(stdout, "takes a restart:", change)
		}
		return nil
	})
}
