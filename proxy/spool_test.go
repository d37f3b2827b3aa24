package proxy

import (
	"regexp"
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
