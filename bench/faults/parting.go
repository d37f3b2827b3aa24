package faults

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"

	"github.com/geargate/geargate/bench/farm"
)

const (
	backendPort = "4730"
	// nobody is a hardware address that no interface has: what is sent there
	// is dropped without a word.
	nobody = "02:00:00:00:00:01"
)

// An island is a network namespace with one backend in it, joined to ours by
// a pair of virtual interfaces. Only root may make one.
type island struct {
	name        string // of the namespace
	here, there string // the interfaces
	subnet      string // all of an address but its last number
}

// newIsland makes the number-th island of this process, in the range kept for
// measurements (RFC 2544).
func newIsland(ctx context.Context, number int) (*island, error) {
	id := fmt.Sprintf("%x-%d", os.Getpid(), number)
	l := &island{name: "faults-" + id, here: "fa" + id, there: "fb" + id, subnet: fmt.Sprintf("198.18.%d.", number)}
	for _, line := range []string{
		"netns add " + l.name,
		"link add " + l.here + " type veth peer name " + l.there + " netns " + l.name,
		"addr add " + l.subnet + "1/30 dev " + l.here,
		"link set " + l.here + " up",
		"-n " + l.name + " addr add " + l.subnet + "2/30 dev " + l.there,
		"-n " + l.name + " link set " + l.there + " up",
	} {
		if err := ip(ctx, line); err != nil {
			l.remove()
			return nil, fmt.Errorf("a network namespace, which needs root: %w", err)
		}
	}
	return l, nil
}

func ip(ctx context.Context, line string) error {
	out, err := exec.CommandContext(ctx, "ip", strings.Fields(line)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("ip %s: %w: %s", line, err, out)
	}
	return nil
}

// remove ends the namespace, and the interfaces with it.
func (l *island) remove() {
	// What does not exist any more, or not yet, need not be removed.
	_ = ip(context.Background(), "netns del "+l.name)
	_ = ip(context.Background(), "link del "+l.here)
}

// gearmand starts one on the island.
func (l *island) gearmand(ctx context.Context) (*farm.Server, error) {
	host := l.subnet + "2"
	return farm.Run(ctx, "gearmand", net.JoinHostPort(host, backendPort),
		"ip", "netns", "exec", l.name, "gearmand", "--listen", host, "--port", backendPort, "--log-file", "stderr")
}

// part drops every packet, both ways.
func (l *island) part(ctx context.Context) error {
	if err := ip(ctx, "neigh replace "+l.subnet+"2 lladdr "+nobody+" nud permanent dev "+l.here); err != nil {
		return err
	}
	return ip(ctx, "-n "+l.name+" neigh replace "+l.subnet+"1 lladdr "+nobody+" nud permanent dev "+l.there)
}

// join lets packets through again.
func (l *island) join(ctx context.Context) error {
	if err := ip(ctx, "neigh del "+l.subnet+"2 dev "+l.here); err != nil {
		return err
	}
	return ip(ctx, "-n "+l.name+" neigh del "+l.subnet+"1 dev "+l.there)
}
