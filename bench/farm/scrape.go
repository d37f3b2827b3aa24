package farm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"syscall"
	"time"
)

// scrapeEvery is how often metrics are read: Prometheus does it every 15
// seconds where nobody says otherwise, and this is to cost more.
const scrapeEvery = time.Second

// A scraper reads the metrics of a server until it is stopped; a nil one does
// nothing.
type scraper struct {
	url  string
	end  context.CancelFunc
	done sync.WaitGroup
}

// startScraper reads once, so that an error is known, and goes on. A server may
// listen there a moment after it does elsewhere.
func startScraper(ctx context.Context, url string) (*scraper, error) {
	ctx, end := context.WithCancel(ctx)
	s := &scraper{url: url, end: end}
	deadline := time.Now().Add(startTimeout)
	err := s.scrape(ctx)
	for errors.Is(err, syscall.ECONNREFUSED) && time.Now().Before(deadline) {
		time.Sleep(10 * time.Millisecond)
		err = s.scrape(ctx)
	}
	if err != nil {
		end()
		return nil, err
	}
	s.done.Go(func() {
		next := time.NewTicker(scrapeEvery)
		defer next.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-next.C:
				_ = s.scrape(ctx) // the server is about to be ended, or the load tells of it
			}
		}
	})
	return s, nil
}

func (s *scraper) scrape(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", s.url, answer.Status)
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}

func (s *scraper) stop() {
	if s != nil {
		s.end()
		s.done.Wait()
	}
}
