package proxy

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/geargate/geargate/proxy/access"
	"github.com/geargate/geargate/router"
)

// metrics returns what answers a scrape.
func (p *Proxy) metrics() http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		&collector{p},
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		collectors.NewBuildInfoCollector(),
	)
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
}

// A collector turns what is counted anyway into metrics, at each scrape. The
// core's mutex is held for one snapshot; nothing is kept between scrapes.
type collector struct {
	proxy *Proxy
}

// everyMetric is every metric that there is.
var everyMetric []*prometheus.Desc

// A metric is one name, and the labels that its values have.
func metric(name, help string, labels ...string) *prometheus.Desc {
	d := prometheus.NewDesc("geargate_"+name, help, labels, nil)
	everyMetric = append(everyMetric, d)
	return d
}

var (
	metricAccepted    = metric("connections_accepted_total", "Connections of clients and workers that were taken in.")
	metricConnections = metric("connections", "Connections of clients and workers that are open.")
	metricRefused     = metric("connections_refused_total", "Connections that were turned away.", "reason")
	metricAccess      = metric("refused_total", "Packets and admin lines that access rules did not allow, by the right that lacked.", "what")
	metricSessions    = metric("sessions", "Sessions that have submitted jobs, and that have asked for jobs; some have done both.", "role")
	metricSubmitted   = metric("jobs_submitted_total", "Jobs that clients submitted, those joined to others included.", "function", "mode")
	metricJoined      = metric("jobs_coalesced_total", "Jobs that were joined to one in flight with the same unique.", "function")
	metricCompleted   = metric("jobs_completed_total", "Jobs that workers here completed.", "function")
	metricFailed      = metric("jobs_failed_total", "Jobs that workers here ended with a failure or an exception.", "function")
	metricReady       = metric("jobs_ready", "Jobs that have been grabbed from a backend and wait for a worker here.", "function")
	metricRunning     = metric("jobs_running", "Jobs that workers here run.", "function")
	metricWait        = metric("job_wait_seconds", "From submission to worker, of jobs that were submitted and run here; of background jobs a sample.", "function", "mode")
	metricRun         = metric("job_run_seconds", "From worker to result, of jobs that workers here ran.", "function")
	metricQueued      = metric("jobs_queued", "Jobs that wait at the backends that are up, as these have said.", "function")
	metricForeground  = metric("foreground_jobs", "Foreground jobs in flight with somebody listening.")
	metricHeld        = metric("held_jobs", "Jobs that wait for a backend that takes them.")
	metricHeldBytes   = metric("held_bytes", "Bytes of the jobs that wait for a backend.")
	metricResubmitted = metric("jobs_resubmitted_total", "Jobs that were submitted again because their backend or link was lost.")
	metricSpool       = metric("spool_jobs", "Jobs in the spool.")
	metricSpoolAge    = metric("spool_age_seconds", "For how long the spool has not been empty, since the start at most.")
	metricOverdue     = metric("runs_timed_out_total", "Runs of jobs that were longer than their worker's CAN_DO_TIMEOUT.")
	metricOverdueEnds = metric("jobs_timed_out_total", "Jobs that have failed because limits.timeout_runs of their runs were too long.")
	metricSpooled     = metric("jobs_spooled_total", "Jobs that the spool has acknowledged.")
	metricReplayed    = metric("jobs_replayed_total", "Jobs of the spool that another backend has acknowledged.")
	metricFollowed    = metric("spool_followed_jobs", "Jobs that have left the spool for another backend and are not known to have ended.")
	metricWorkers     = metric("workers", "Workers that can do a function, by what they do.", "function", "state")
	metricGroups      = metric("worker_groups", "Groups of workers with the same functions.")
	metricNoops       = metric("noops_sent_total", "Sleeping workers that were woken.")
	metricUp          = metric("backend_up", "1 where a backend answers.", "backend")
	metricState       = metric("backend_state", "1 for the state that a backend is in.", "backend", "state")
	metricDrained     = metric("backend_drained", "1 where an operator keeps new jobs away from a backend.", "backend")
	metricLinks       = metric("backend_links", "Links to a backend, connecting ones included.", "backend")
	metricOwed        = metric("backend_owed_replies", "Replies that a backend must still send.", "backend")
	metricAssigned    = metric("backend_assigned_jobs", "Jobs that a backend has given to workers here and that have no result yet.", "backend")
	metricSent        = metric("backend_submissions_total", "Submissions that were sent to a backend.", "backend")
	metricEjections   = metric("backend_ejections_total", "How often a backend was given up.", "backend")
	metricFailovers   = metric("backend_failovers_total", "Jobs whose first choice a backend was, and that went to another because it took none.", "backend")
	metricCompletedOf = metric("backend_jobs_completed_total", "Jobs of a backend that workers here completed.", "backend")
	metricFailedOf    = metric("backend_jobs_failed_total", "Jobs of a backend that workers here ended with a failure or an exception.", "backend")
	metricQueuedOf    = metric("backend_jobs_queued", "Jobs that wait at a backend, as it has said.", "backend")
	metricRunningOf   = metric("backend_jobs_running", "Jobs of a backend that workers run wherever they are, as it has said.", "backend")
	metricStore       = metric("backend_store_up", "0 while the store of a built-in job server cannot be written to.", "backend")
	metricRead        = metric("read_bytes_total", "Bytes read from clients, workers and remote backends.")
	metricWritten     = metric("written_bytes_total", "Bytes written to clients, workers and remote backends.")
	metricBuffered    = metric("buffered_bytes", "Bytes that wait to be decided on or to be read by a peer.", "direction")
	metricParked      = metric("parked_sessions", "Sessions that are not read from until what they sent has gone on.")
	metricParkings    = metric("parked_total", "How often a session was not read from for a while.")
	metricUnparked    = metric("park_failures_total", "How often a session was read from on, for want of a file descriptor.")
	metricUnaccepted  = metric("accept_failures_total", "How often a listener could not accept, for want of file descriptors or memory.")
	metricClosed      = metric("peers_cut_off_total", "Peers that were cut off.", "reason")
	metricEvents      = metric("events_total", "Events worth a log line, those not logged for being too many included.", "event")
	metricGeneration  = metric("configuration", "Number of the configuration in force, counted from 1 at the start.")
	metricReloads     = metric("reloads_total", "Reloads of the configuration, those that changed nothing because of a mistake included.", "result")
	metricReloaded    = metric("reload_last_timestamp_seconds", "When the configuration was last read, at the start or by a reload, with a mistake or without.")
	metricReloadedOK  = metric("reload_last_success_timestamp_seconds", "When the configuration in force was put in force.")
	metricMemoryLimit = metric("memory_limit_bytes", "limits.memory.")
)

// Describe tells of every metric.
func (c *collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range everyMetric {
		to <- d
	}
}

// A snapshot is the core at the moment of a scrape.
type snapshot struct {
	report         *router.Report
	counts         *router.Counts
	parked, queued int
	stores         map[string]bool // whether they are well
	spool          *SpoolStatus    // nil where there is none
}

func (c *core) snapshot() snapshot {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := snapshot{report: c.router.Report(), counts: c.router.Count(), parked: len(c.parked), queued: c.queued, stores: map[string]bool{}}
	for _, u := range c.upstreams {
		if u.builtin != nil {
			s.stores[u.name] = u.builtin.Trouble() == nil
		}
	}
	if c.forwarder != nil {
		spool := c.forwarder.status()
		s.spool = &spool
	}
	return s
}

// values sends values of metrics.
type values chan<- prometheus.Metric

func (v values) gauge(d *prometheus.Desc, value float64, labels ...string) {
	v <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
}

func (v values) counter(d *prometheus.Desc, value uint64, labels ...string) {
	v <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(value), labels...)
}

func (v values) flag(d *prometheus.Desc, is bool, labels ...string) {
	value := 0.0
	if is {
		value = 1
	}
	v.gauge(d, value, labels...)
}

func (v values) duration(d *prometheus.Desc, took *router.Duration, labels ...string) {
	buckets, count := map[float64]uint64{}, uint64(0)
	for i, n := range took.Buckets {
		count += n
		if i < len(router.Bounds) {
			buckets[router.Bounds[i].Seconds()] = count
		}
	}
	v <- prometheus.MustNewConstHistogram(d, count, took.Sum.Seconds(), buckets, labels...)
}

// Collect is a scrape.
func (c *collector) Collect(to chan<- prometheus.Metric) {
	v := values(to)
	c.proxy.census.take(c.proxy.core)
	s := c.proxy.core.snapshot()
	v.connections(c.proxy.core)
	v.jobs(&s)
	for i := range s.counts.Functions {
		v.function(&s.counts.Functions[i])
	}
	v.backends(&s)
	v.gauge(metricParked, float64(s.parked))
	v.gauge(metricBuffered, float64(s.queued), "out")
	for event, n := range c.proxy.journal.totals() {
		v.counter(metricEvents, n, event)
	}
	v.gauge(metricGeneration, float64(c.proxy.generation.Load()))
	v.reloads(&c.proxy.reloads)
}

func (v values) connections(c *core) {
	n := &c.counters
	v.counter(metricAccepted, n.Accepted.Load())
	v.gauge(metricConnections, float64(c.admission.all.Load()))
	v.counter(metricRefused, n.TooManyConnections.Load(), "too_many")
	v.counter(metricRefused, n.TooManyOfAddress.Load(), "too_many_of_address")
	v.counter(metricRefused, n.HandshakeFailures.Load(), "handshake")
	v.counter(metricRefused, n.ProxyHeaderFailures.Load(), "proxy_header")
	for right := access.None + 1; right < access.Rights; right++ {
		v.counter(metricAccess, n.AccessRefused[right].Load(), right.String())
	}
	v.counter(metricRead, n.BytesRead.Load())
	v.counter(metricWritten, n.BytesWritten.Load())
	v.gauge(metricBuffered, float64(c.input.Load()), "in")
	v.counter(metricParkings, n.Parked.Load())
	v.counter(metricUnparked, n.ParkFailures.Load())
	v.counter(metricUnaccepted, n.AcceptFailures.Load())
	v.counter(metricClosed, n.SlowReaders.Load(), "slow_reader")
	v.counter(metricClosed, n.CutForMemory.Load(), "memory")
	v.counter(metricClosed, n.Unacknowledged.Load(), "vanished")
	v.gauge(metricMemoryLimit, float64(c.limits.Load().Memory))
}

func (v values) jobs(s *snapshot) {
	v.gauge(metricSessions, float64(s.counts.Workers), "worker")
	v.gauge(metricSessions, float64(s.counts.Clients), "client")
	v.gauge(metricGroups, float64(s.report.Groups))
	v.gauge(metricForeground, float64(s.report.ForegroundJobs))
	v.gauge(metricHeld, float64(s.counts.Waiting))
	v.gauge(metricHeldBytes, float64(s.counts.WaitingSize))
	v.counter(metricResubmitted, s.counts.Resubmitted)
	v.counter(metricOverdue, s.counts.Overdue)
	v.counter(metricOverdueEnds, s.counts.OverdueEnds)
	v.counter(metricNoops, s.counts.Noops)
	if s.spool != nil {
		v.spool(s)
	}
}

func (v values) spool(s *snapshot) {
	age := 0.0
	if !s.spool.Since.IsZero() {
		age = time.Since(s.spool.Since).Seconds()
	}
	v.gauge(metricSpool, float64(s.spool.Jobs))
	v.gauge(metricSpoolAge, age)
	v.gauge(metricFollowed, float64(s.spool.Followed))
	v.counter(metricSpooled, s.counts.Spooled)
	v.counter(metricReplayed, uint64(s.spool.Forwarded))
}

// function sends what is counted of one function.
func (v values) function(f *router.FunctionCounts) {
	name := f.Name
	v.counter(metricSubmitted, f.Foreground, name, "foreground")
	v.counter(metricSubmitted, f.Background, name, "background")
	v.counter(metricJoined, f.Joined, name)
	v.counter(metricCompleted, f.Completed, name)
	v.counter(metricFailed, f.Failed, name)
	v.gauge(metricQueued, float64(f.Queued), name)
	v.gauge(metricReady, float64(f.Ready), name)
	v.gauge(metricRunning, float64(f.Running), name)
	v.gauge(metricWorkers, float64(f.Asleep), name, "asleep")
	v.gauge(metricWorkers, float64(f.Active), name, "active")
	v.duration(metricWait, &f.Wait, name, "foreground")
	v.duration(metricWait, &f.WaitStored, name, "background")
	v.duration(metricRun, &f.Run, name)
}

func (v values) backends(s *snapshot) {
	for _, b := range s.report.Backends {
		v.flag(metricUp, b.Up, b.Name)
		for _, state := range []string{"up", "suspect", "ejected", "probing"} {
			v.flag(metricState, b.State == state, b.Name, state)
		}
		v.flag(metricDrained, b.Drained, b.Name)
		v.gauge(metricLinks, float64(b.Links), b.Name)
		v.gauge(metricOwed, float64(b.Owed), b.Name)
		v.gauge(metricAssigned, float64(b.Held), b.Name)
	}
	for _, b := range s.counts.Backends {
		v.counter(metricSent, b.Sent, b.Name)
		v.counter(metricEjections, b.Ejections, b.Name)
		v.counter(metricFailovers, b.Failovers, b.Name)
		v.counter(metricCompletedOf, b.Completed, b.Name)
		v.counter(metricFailedOf, b.Failed, b.Name)
		if b.Counted {
			v.gauge(metricQueuedOf, float64(b.Queued), b.Name)
			v.gauge(metricRunningOf, float64(b.Running), b.Name)
		}
	}
	for name, well := range s.stores {
		v.flag(metricStore, well, name)
	}
}

func (v values) reloads(n *reloads) {
	v.counter(metricReloads, n.done.Load(), "success")
	v.counter(metricReloads, n.failed.Load(), "failure")
	v.gauge(metricReloaded, float64(n.last.Load()))
	v.gauge(metricReloadedOK, float64(n.lastDone.Load()))
}
