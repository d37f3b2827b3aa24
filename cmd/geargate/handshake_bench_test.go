package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
	"github.com/geargate/geargate/proxy/tlstest"
)

// BenchmarkHandshakes: how clients and workers fare beside those who connect
// with TLS, some each second, with one processor for Go and with two; and where
// they themselves are connected with TLS.
func BenchmarkHandshakes(b *testing.B) {
	for _, rate := range []int{0, 200} {
		for _, secure := range []bool{false, true} {
			for _, processors := range []int{1, 2} {
				b.Run(fmt.Sprintf("rate=%d/tls=%v/processors=%d", rate, secure, processors), func(b *testing.B) {
					s := startSubject(b, "GOMAXPROCS="+strconv.Itoa(processors))
					s.measure(rate, secure, 20, 10)
				})
			}
		}
	}
}

// BenchmarkCertificates: how many clients a second connect with TLS, and what
// each costs the process, by the kind of its key. Four connect at a time; their
// own half of each handshake needs the processors as well.
func BenchmarkCertificates(b *testing.B) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		b.Fatal(err)
	}
	ecdsaKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	for _, kind := range []struct {
		name string
		key  crypto.Signer
	}{{"rsa-2048", rsaKey}, {"ecdsa-p256", ecdsaKey}} {
		for _, processors := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/processors=%d", kind.name, processors), func(b *testing.B) {
				ca := tlstest.New(b)
				cert, key := filepath.Join(b.TempDir(), "cert.pem"), filepath.Join(b.TempDir(), "key.pem")
				ca.RenewFor(b, "front", kind.key, cert, key)
				s := startSubjectWith(b, ca, cert, key, "GOMAXPROCS="+strconv.Itoa(processors))
				before := s.used()
				b.ResetTimer()
				b.SetParallelism(max(1, 4/runtime.GOMAXPROCS(0)))
				b.RunParallel(func(more *testing.PB) {
					for more.Next() {
						nc, err := s.dial(true)
						if err != nil {
							b.Error(err)
							return
						}
						nc.Close()
					}
				})
				b.StopTimer()
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "handshakes/s")
				b.ReportMetric((s.used()-before).Seconds()*1e6/float64(b.N), "CPU-us/handshake")
			})
		}
	}
}

// measure has clients have jobs run, b.N in all, and reports how long each
// took while others connect.
func (s *subject) measure(rate int, secure bool, clients, workers int) {
	for range workers {
		p := s.peer(secure)
		if err := p.say(protocol.CanDo, "f"); err != nil {
			s.b.Fatal(err)
		}
		go p.serve()
	}
	var left, shaken atomic.Int64
	left.Store(int64(s.b.N))
	took := make([][]time.Duration, clients)
	var running sync.WaitGroup
	all := make([]*peer, clients)
	for i := range all {
		all[i] = s.peer(secure)
	}
	ended := make(chan struct{})
	var knocking sync.WaitGroup
	knocking.Go(func() { s.knock(rate, ended, &shaken) })
	before := s.used()
	s.b.ResetTimer()
	for i, p := range all {
		running.Go(func() {
			for left.Add(-1) >= 0 {
				began := time.Now()
				if err := p.run("f"); err != nil {
					s.b.Error(err)
					return
				}
				took[i] = append(took[i], time.Since(began))
			}
		})
	}
	running.Wait()
	s.b.StopTimer()
	seconds := s.b.Elapsed().Seconds()
	close(ended)
	knocking.Wait()
	every := slices.Concat(took...)
	slices.Sort(every)
	s.b.ReportMetric(float64(len(every))/seconds, "jobs/s")
	s.b.ReportMetric((s.used()-before).Seconds()*1e6/float64(len(every)), "CPU-us/job")
	s.b.ReportMetric(float64(every[len(every)/2].Microseconds()), "p50-us")
	s.b.ReportMetric(float64(every[len(every)*99/100].Microseconds()), "p99-us")
	s.b.ReportMetric(float64(shaken.Load())/seconds, "handshakes/s")
}

// used returns the CPU time of the process.
func (s *subject) used() time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.command.Process.Pid))
	if err != nil {
		s.b.Fatal(err)
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(after)
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * (time.Second / 100)
}

// knock connects with TLS, so often each second, and hangs up.
func (s *subject) knock(rate int, ended <-chan struct{}, shaken *atomic.Int64) {
	if rate == 0 {
		return
	}
	next := time.NewTicker(time.Second / time.Duration(rate))
	defer next.Stop()
	for {
		select {
		case <-ended:
			return
		case <-next.C:
		}
		nc, err := s.dial(true)
		if err != nil {
			s.b.Error(err)
			return
		}
		shaken.Add(1)
		nc.Close()
	}
}
