package farm

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestScraperReadsUntilStopped(t *testing.T) {
	reads := make(chan struct{}, 100)
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reads <- struct{}{} }))
	defer server.Close()
	s, err := startScraper(t.Context(), server.URL)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		<-reads
	}
	s.stop()
	ended := make(chan struct{})
	go func() {
		s.done.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Fatal("it still reads after it was stopped")
	}
	refusing := httptest.NewServer(http.NotFoundHandler())
	defer refusing.Close()
	if s, err := startScraper(t.Context(), refusing.URL); err == nil {
		s.stop()
		t.Error("a server without metrics was found to have some")
	}
}
