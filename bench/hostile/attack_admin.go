package hostile

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/geargate/geargate/bench/wire"
	"github.com/geargate/geargate/protocol"
)

// An operator asks and commands over Geargate's admin socket.
type operator struct{ client http.Client }

func (f *field) operator() *operator {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var dialer net.Dialer
		return dialer.DialContext(ctx, "unix", f.socket())
	}
	return &operator{http.Client{Transport: &http.Transport{DialContext: dial}, Timeout: max(f.left(), time.Millisecond)}}
}

// ask makes a request and decodes what is answered into what, unless it is nil.
func (o *operator) ask(method, resource string, values url.Values, what any) error {
	request, err := http.NewRequest(method, "http://geargate/"+resource+"?"+values.Encode(), nil)
	if err != nil {
		return err
	}
	answer, err := o.client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", resource, answer.Status)
	}
	if what != nil {
		return json.NewDecoder(answer.Body).Decode(what)
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}

// operate has operators do the same in a loop.
func (f *field) operate(operators int, what string, play func(o *operator) error) {
	var group sync.WaitGroup
	for range operators {
		group.Go(func() {
			for o := f.operator(); f.goesOn(); {
				if err := play(o); err == nil {
					f.count(what, 1)
				} else if f.goesOn() {
					f.count(what+" that failed", 1)
					time.Sleep(time.Millisecond)
				}
			}
		})
	}
	group.Wait()
}

// A page is what is used of an answer to a request for jobs.
type page struct {
	Next string `json:"next"`
}

// pages goes through the pages of a resource.
func (f *field) pages(o *operator, method, resource string, values url.Values) error {
	for f.goesOn() {
		var p page
		if err := o.ask(method, resource, values, &p); err != nil {
			return err
		}
		if f.count("pages", 1); p.Next == "" {
			return nil
		}
		values.Set("after", p.Next)
	}
	return nil
}

func listJobs(f *field) (func(), error) {
	return func() {
		f.operate(2, "listings", func(o *operator) error { return f.pages(o, http.MethodGet, "api/v1/jobs", url.Values{}) })
	}, nil
}

func purgeJobs(f *field) (func(), error) {
	functions := make(chan string, millionFunctions)
	for _, name := range names(millionFunctions, nameSize) {
		functions <- name
	}
	close(functions)
	return func() {
		f.operate(1, "purges", func(o *operator) error {
			return f.pages(o, http.MethodPost, "api/v1/purge", url.Values{"function": {<-functions}})
		})
	}, nil
}

// cancelJobs has operators cancel jobs, and a client, pipelined.
func cancelJobs(f *field) (func(), error) {
	first, err := f.queueOne()
	if err != nil {
		return nil, err
	}
	return func() {
		go f.repeat(1, func(conn *wire.Conn) error {
			go io.Copy(io.Discard, conn)
			return f.again(func() error {
				var lines []byte
				for range pipelined {
					lines = protocol.VerbCancelJob.AppendLine(lines, []byte(anyBefore(first)))
				}
				f.count("lines", pipelined)
				return conn.Send(lines)
			})
		})
		f.operate(4, "requests", func(o *operator) error {
			return o.ask(http.MethodPost, "api/v1/cancel", url.Values{"handle": {anyBefore(first)}}, nil)
		})
	}, nil
}

// anyBefore returns the handle of one of a million jobs that were queued before
// the one with a handle.
func anyBefore(handle string) string {
	i := strings.LastIndexByte(handle, ':') + 1
	last, err := strconv.Atoi(handle[i:])
	if err != nil {
		return handle
	}
	return handle[:i] + strconv.Itoa(last-1-rand.IntN(millionJobs))
}

// watch reads all that tells an operator how Geargate is.
func watch(f *field) (func(), error) {
	const watchers, functions = 4, 5000
	all := names(functions, nameSize)
	if _, err := f.submitAll(functions, background(all)); err != nil {
		return nil, err
	}
	_, err := f.dialAll(functions/crowdFunctions, func(number int) []byte {
		return wire.AppendRequest(requests(nil, protocol.CanDo, all[number*crowdFunctions:][:crowdFunctions]), protocol.PreSleep)
	})
	return func() {
		go f.operate(watchers, "documents of the dashboard", func(o *operator) error { return f.look(o) })
		go f.operate(1, "statuses", func(o *operator) error { return o.ask(http.MethodGet, "api/v1/status", nil, nil) })
		f.operate(2, "scrapes", func(o *operator) error { return o.ask(http.MethodGet, "metrics", nil, nil) })
	}, err
}

// look reads the first document that the dashboard is sent, and hangs up.
func (f *field) look(o *operator) error {
	answer, err := o.client.Get("http://geargate/api/v1/live")
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	buffer := make([]byte, 64<<10)
	for {
		n, err := answer.Body.Read(buffer)
		if n > 2 && string(buffer[n-2:n]) == "\n\n" {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// reloadRules are rules of access that let everybody do everything.
const reloadRules = `timeouts: {hold: %ds}
access: [{addresses: [127.0.0.0/8], submit: ["*"], work: ["*"], admin: write}]
`

// reload changes the configuration and has it read anew, while 1,000 workers are
// connected.
func reload(f *field) (func(), error) {
	const workers, functions = 1000, 10
	config, err := os.ReadFile(f.config())
	if err != nil {
		return nil, err
	}
	abilities := wire.AppendRequest(requests(nil, protocol.CanDo, names(functions, nameSize)), protocol.PreSleep)
	_, err = f.dialAll(workers, func(int) []byte { return abilities })
	round := 0
	return func() {
		f.operate(1, "reloads", func(o *operator) error {
			round++
			changed := fmt.Appendf(config[:len(config):len(config)], reloadRules, 10+round%2)
			if err := os.WriteFile(f.config(), changed, 0o600); err != nil {
				return err
			}
			return o.ask(http.MethodPost, "api/v1/reload", nil, nil)
		})
	}, err
}
