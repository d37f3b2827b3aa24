package listen

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/panjf2000/gnet/v2"
)

// bootTimeout bounds the wait for a loop to show itself.
const bootTimeout = 10 * time.Second

// boot runs gnet and returns the handles of its loops. gnet does not list
// them: they are learned from connections to a private socket, which gnet
// deals out to the loops in turn. The socket's path is gone when boot returns,
// so nobody else can connect to it: gnet ends when it cannot accept.
func (e *Engine) boot(loops int) ([]gnet.EventLoop, error) {
	dir, err := os.MkdirTemp("", "geargate-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "s")
	if strings.ContainsAny(path, "?#%") {
		return nil, fmt.Errorf("temporary directory %q: gnet would read its name as part of an address", dir)
	}
	events := &events{engine: e, booted: make(chan gnet.Engine, 1), opened: make(chan gnet.EventLoop, loops)}
	go func() {
		e.err = gnet.Run(events, "unix://"+path,
			gnet.WithNumEventLoop(loops),
			gnet.WithLoadBalancing(gnet.RoundRobin),
			gnet.WithLogger(silence{}))
		close(e.ended)
	}()
	select {
	case e.gnet = <-events.booted:
	case <-e.ended:
		return nil, e.err
	}
	handles, err := meet(path, loops, events.opened)
	if err != nil {
		e.halt()
		<-e.ended
	}
	return handles, err
}

// meet connects to path once for each loop and collects who answers.
func meet(path string, loops int, opened <-chan gnet.EventLoop) ([]gnet.EventLoop, error) {
	timeout := time.After(bootTimeout)
	met := map[gnet.EventLoop]bool{}
	var handles []gnet.EventLoop
	for range loops {
		nc, err := net.Dial("unix", path)
		if err != nil {
			return nil, err
		}
		defer nc.Close()
		select {
		case handle := <-opened:
			if met[handle] {
				return nil, errors.New("gnet runs fewer loops than asked for")
			}
			met[handle] = true
			handles = append(handles, handle)
		case <-timeout:
			return nil, fmt.Errorf("no answer from a loop within %v", bootTimeout)
		}
	}
	return handles, nil
}

// silence is where gnet's own log goes: what matters of it is returned as
// errors, and standard output is not ours to write to.
type silence struct{}

func (silence) Debugf(string, ...any) {}
func (silence) Infof(string, ...any)  {}
func (silence) Warnf(string, ...any)  {}
func (silence) Errorf(string, ...any) {}
func (silence) Fatalf(string, ...any) {}
