package proxy

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
	"github.com/geargate/geargate/version"
)

// The state of the moment says who is connected and what they do.
func TestStatusTellsWhoDoesWhat(t *testing.T) {
	began := time.Now().Add(-time.Second)
	p, path := serveAdmin(t)
	client, worker, idle := p.dial(t), p.dial(t), p.dial(t)
	send(t, idle, protocol.SetClientID, []byte("idler"))
	send(t, idle, protocol.EchoReq, nil)
	expect(t, idle, protocol.EchoRes)
	send(t, client, protocol.SubmitJob, []byte("f"), []byte("u"), nil)
	handle := string(expect(t, client, protocol.JobCreated)[0])
	for _, function := range []string{"f", "g"} {
		send(t, worker, protocol.CanDo, []byte(function))
	}
	send(t, worker, protocol.GrabJobUniq)
	expect(t, worker, protocol.JobAssignUniq)

	var s Status
	if code := call(t, adminClient(path), http.MethodGet, "http://x/api/v1/status?queues=true", &s); code != http.StatusOK {
		t.Fatalf("got %d", code)
	}
	w, c := s.Workers, s.Clients
	if w.Total != 1 || w.Running != 1 || len(w.Listed) != 1 || c.Total != 2 || c.Waiting != 1 || len(c.Listed) != 2 {
		t.Fatalf("got %+v and %+v", w, c)
	}
	for _, peer := range []PeerStatus{w.Listed[0].PeerStatus, c.Listed[0].PeerStatus} {
		if peer.Jobs != 1 || peer.Function != "f" || peer.Handle != handle || peer.Since.Before(began) || peer.Session == 0 {
			t.Errorf("got %+v, expected who has to do with %s", peer, handle)
		}
	}
	if got := w.Listed[0]; got.State != "running" || got.Functions != 2 || len(got.Names) != 2 || got.Names[1] != "g" || got.Backend+"~" != handle[2:2+len("pool-1~")] || got.Address != worker.LocalAddr().String() {
		t.Errorf("got %+v", got)
	}
	if got := c.Listed[1]; got.ID != "idler" || got.Address != idle.LocalAddr().String() || got.Jobs != 0 || got.Function != "" {
		t.Errorf("got %+v", got)
	}
	if f := s.Functions; len(f) != 2 || f[0].Name != "f" || f[0].Submitted != 1 || f[0].Running != 1 || f[1].Active != 1 {
		t.Errorf("got %+v", f)
	}
	if len(s.Bounds) == 0 || len(s.Functions[0].Wait.Buckets) != len(s.Bounds)+1 || len(s.Events) == 0 || s.At.Before(began) {
		t.Errorf("got bounds %v, %d events at %v", s.Bounds, len(s.Events), s.At)
	}
}

// What backends have queued is told for each function, wherever it waits.
func TestStatusTellsWhatIsQueued(t *testing.T) {
	p, path := serveAdmin(t)
	nc := p.dial(t)
	for range 5 {
		background(t, nc, "f", "")
	}
	background(t, nc, "g", "")
	for range 2 { // what is counted is not added up
		var s Status
		call(t, adminClient(path), http.MethodGet, "http://x/api/v1/status?queues=true", &s)
		if f := s.Functions; len(f) != 2 || f[0].Queued != 5 || f[1].Queued != 1 {
			t.Errorf("got %+v, expected 5 and 1 to be queued", f)
		}
	}
}

// Every key of the document is explained.
func TestStatusIsDocumented(t *testing.T) {
	_, section, _ := strings.Cut(string(readDoc(t, "operations.md")), "## The state of the moment\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var keys func(reflect.Type)
	keys = func(of reflect.Type) {
		for of.Kind() == reflect.Slice || of.Kind() == reflect.Pointer {
			of = of.Elem()
		}
		if of.Kind() != reflect.Struct || of == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range of.NumField() {
			key, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
			if key != "" && !strings.Contains(section, "`"+key+"`") {
				t.Errorf("`%s` of %v is not explained in docs/operations.md", key, of)
			}
			keys(of.Field(i).Type)
		}
	}
	keys(reflect.TypeFor[Status]())
}

// What backends were sent and what came of it is told, and who tells it.
func TestStatusTellsWhatBackendsDid(t *testing.T) {
	began := time.Now()
	p, path := serveAdmin(t)
	client, worker := p.dial(t), p.dial(t)
	send(t, worker, protocol.CanDo, []byte("f"))
	for _, end := range []protocol.Type{protocol.WorkComplete, protocol.WorkFail, protocol.WorkComplete} {
		send(t, client, protocol.SubmitJob, []byte("f"), []byte(""), nil)
		expect(t, client, protocol.JobCreated)
		send(t, worker, protocol.GrabJob)
		handle := expect(t, worker, protocol.JobAssign)[0]
		if end == protocol.WorkFail {
			send(t, worker, end, handle)
		} else {
			send(t, worker, end, handle, nil)
		}
		expect(t, client, end)
	}
	var s Status
	call(t, adminClient(path), http.MethodGet, "http://x/api/v1/status", &s)
	var b BackendStatus
	for i := range s.Backends {
		b.Submitted += s.Backends[i].Submitted
		b.Completed += s.Backends[i].Completed
		b.Failed += s.Backends[i].Failed
	}
	if b.Submitted != 3 || b.Completed != 2 || b.Failed != 1 {
		t.Errorf("got %d submitted, %d completed, %d failed", b.Submitted, b.Completed, b.Failed)
	}
	if s.Version != version.String() || s.Version == "" || s.Started.Before(began) || s.Started.After(s.At) {
		t.Errorf("got version %q, started %v", s.Version, s.Started)
	}
}
