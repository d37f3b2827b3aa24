package hostile

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/geargate/geargate/bench/wire"
	"github.com/geargate/geargate/protocol"
)

const (
	// span is how long an attack goes on, and grace how long after that its
	// process may take to end.
	span  = 4 * time.Second
	grace = time.Second
	// setUpTime is how long it may take to get ready.
	setUpTime = 40 * time.Second

	socketName = "admin.sock"
	configName = "geargate.yaml"
)

// A field is what an attack has: Geargate's addresses, and the time.
type field struct {
	address string
	files   string // directory of Geargate's configuration and admin socket

	mutex    sync.Mutex
	deadline time.Time // of what goes on
	conns    []*wire.Conn
	dialled  int
	counts   map[string]int
}

// attack plays the attack of a name: it says so when it is ready, begins when
// told to, and says what it did when it has ended. Its connections end with the
// process.
func attack(name, address, files string, in io.Reader, out io.Writer) error {
	a, err := find(name)
	if err != nil {
		return err
	}
	f := &field{address: address, files: files, deadline: time.Now().Add(setUpTime), counts: map[string]int{}}
	strike, err := a.play(f)
	if err != nil {
		return fmt.Errorf("getting ready: %w", err)
	}
	answers := json.NewEncoder(out)
	if err := answers.Encode(Deeds{}); err != nil {
		return err
	}
	if !bufio.NewScanner(in).Scan() {
		return nil // nobody wants it any more
	}
	f.limit(span)
	time.AfterFunc(span+grace, func() {
		answers.Encode(f.did())
		os.Exit(0)
	})
	strike()
	time.Sleep(f.left())
	return answers.Encode(f.did())
}

// Deeds are what an attacker has done, by what it is.
type Deeds map[string]int

func (d Deeds) String() string {
	var parts []string
	for _, what := range slices.Sorted(maps.Keys(d)) {
		parts = append(parts, fmt.Sprintf("%d %s", d[what], what))
	}
	return strings.Join(parts, ", ")
}

// count takes note of something that was done.
func (f *field) count(what string, n int) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.counts[what] += n
}

func (f *field) did() Deeds {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return maps.Clone(f.counts)
}

// limit ends everything after a while, also what is waited for by then.
func (f *field) limit(after time.Duration) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.deadline = time.Now().Add(after)
	for _, conn := range f.conns {
		conn.SetDeadline(f.deadline)
	}
}

func (f *field) left() time.Duration {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return time.Until(f.deadline)
}

func (f *field) goesOn() bool { return f.left() > 0 }

// dial connects to Geargate. The caller may leave the end of the connection to
// the end of the process.
func (f *field) dial() (*wire.Conn, error) {
	f.mutex.Lock()
	number := f.dialled
	f.dialled++
	f.mutex.Unlock()
	conn, err := wire.DialFrom(number, f.address)
	if err != nil {
		return nil, err
	}
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.conns = append(f.conns, conn)
	return conn, conn.SetDeadline(f.deadline)
}

// dialAll opens count connections and greets on each.
func (f *field) dialAll(count int, greeting func(number int) []byte) (conns []*wire.Conn, err error) {
	conns = make([]*wire.Conn, count)
	err = f.share(count, func(number int) (err error) {
		if conns[number], err = f.dial(); err != nil {
			return err
		}
		return conns[number].Send(greeting(number))
	})
	return conns, err
}

// sharers is how many goroutines share work.
const sharers = 16

// share has goroutines do work for each number below count, while there is time.
func (f *field) share(count int, work func(number int) error) error {
	var group sync.WaitGroup
	failed := make(chan error, sharers)
	for first := range sharers {
		group.Go(func() {
			for number := first; number < count && f.goesOn(); number += sharers {
				if err := work(number); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	group.Wait()
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}

// repeat has peers do the same again and again, each time over a connection of
// its own, while there is time. Geargate may cut them off.
func (f *field) repeat(peers int, play func(conn *wire.Conn) error) {
	var group sync.WaitGroup
	for range peers {
		group.Go(func() {
			for f.goesOn() {
				conn, err := f.dial()
				if err == nil {
					err = play(conn)
					f.drop(conn)
				}
				if err != nil && f.goesOn() {
					f.count("times cut off", 1)
					time.Sleep(10 * time.Millisecond)
				}
			}
		})
	}
	group.Wait()
}

// drop resets a connection.
func (f *field) drop(conn *wire.Conn) {
	conn.Cut(true)
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.conns = slices.DeleteFunc(f.conns, func(c *wire.Conn) bool { return c == conn })
}

// again calls play until it fails, or the time is up.
func (f *field) again(play func() error) error {
	for f.goesOn() {
		if err := play(); err != nil {
			return err
		}
	}
	return nil
}

// await returns when everything before has been answered.
func await(conn *wire.Conn) error {
	if err := conn.Send(wire.AppendRequest(nil, protocol.EchoReq, "done")); err != nil {
		return err
	}
	return awaitType(conn, protocol.EchoRes, 1)
}

// awaitType reads until so many packets of a type have come.
func awaitType(conn *wire.Conn, t protocol.Type, count int) error {
	for count > 0 {
		p, err := conn.Receive()
		if err != nil {
			return err
		}
		if p.Type == t {
			count--
		}
	}
	return nil
}

// flood writes data again and again while what comes back is thrown away.
func (f *field) flood(conn *wire.Conn, data []byte, what string, each int) error {
	go io.Copy(io.Discard, conn)
	return f.again(func() error {
		err := conn.Send(data)
		if err == nil {
			f.count(what, each)
		}
		return err
	})
}

// socket and config are where Geargate has its admin endpoint and configuration.
func (f *field) socket() string { return filepath.Join(f.files, socketName) }
func (f *field) config() string { return filepath.Join(f.files, configName) }

// names returns names of so many bytes each.
func names(count, size int) []string { return namesFrom(0, count, size) }

// namesFrom returns those behind the first so many.
func namesFrom(first, count, size int) (all []string) {
	for i := range count {
		all = append(all, fmt.Sprintf("%0*d", size, first+i))
	}
	return all
}
