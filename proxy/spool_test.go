package proxy

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"testing"

	"github.com/geargate/geargate/protocol"
)

// What is in the spool is shown, and how much went in and out.
func TestMetricsOfTheSpool(t *testing.T) {
	server := newLateServer(t)
	server.down()
	path := t.TempDir() + "/admin"
	p := serve(t, nil, func(c *Config) {
		server.configure(c)
		c.Spool.Path = t.TempDir()
		c.Admin.Socket = path
	})
	shows(t, path, `geargate_spool_jobs 0`, `geargate_spool_age_seconds 0`, `geargate_jobs_spooled_total 0`, `geargate_jobs_replayed_total 0`)
	nc := p.dial(t)
	for _, unique := range []string{"1", "2"} {
		send(t, nc, protocol.SubmitJobBg, []byte("f"), []byte(unique), []byte("x"))
		expect(t, nc, protocol.JobCreated)
	}
	shows(t, path, `geargate_spool_jobs 2`, `geargate_jobs_spooled_total 2`, `geargate_jobs_replayed_total 0`)
	eventually(t, "an age", func() bool {
		text, _ := scrape(t, path)
		return regexp.MustCompile(`geargate_spool_age_seconds [0-9.e-]*[1-9]`).MatchString(text)
	})
	server.up(t)
	server.next(t, protocol.SubmitJobBg).answer(protocol.JobCreated, "H:x:1")
	server.next(t, protocol.SubmitJobBg)
	shows(t, path, `geargate_spool_jobs 1`, `geargate_jobs_spooled_total 2`, `geargate_jobs_replayed_total 1`)
}

// Where jobs of the spool have gone is known after a restart, but for those that
// have ended.
func TestTrail(t *testing.T) {
	dir := t.TempDir()
	open := func() (*trail, map[string]string) {
		tr, err := openTrail(dir, "H:host", nil)
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]string{}
		if err := tr.recall(func(was, is []byte) { found[string(was)] = string(is) }); err != nil {
			t.Fatal(err)
		}
		return tr, found
	}
	tr, _ := open()
	var jobs []moved
	for n := 1; n <= 3; n++ {
		jobs = append(jobs, moved{fmt.Appendf(nil, "H:host:%010d", n), fmt.Appendf(nil, "H:a~h:%010d", n+10)})
	}
	if err := tr.add(jobs); err != nil {
		t.Fatal(err)
	}
	asked := tr.next(2)
	tr.putBack(asked[:1])
	if err := tr.forget(asked[1:]); err != nil {
		t.Fatal(err)
	}
	if asked := tr.next(9); !slices.Equal(asked, []uint32{3, 1}) {
		t.Errorf("expected to ask after 3 and then 1, got %v", asked)
	}
	if err := tr.store.Close(); err != nil {
		t.Fatal(err)
	}
	tr, found := open()
	defer tr.store.Close()
	want := map[string]string{"H:spool~host:0000000001": "H:a~h:0000000011", "H:spool~host:0000000003": "H:a~h:0000000013"}
	if !maps.Equal(found, want) {
		t.Errorf("expected %v, got %v", want, found)
	}
	if err := tr.add([]moved{{[]byte("x"), nil}}); err == nil {
		t.Error("expected an error for what is no handle of the spool")
	}
}
