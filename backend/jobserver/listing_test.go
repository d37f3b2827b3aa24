package jobserver

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
)

const operator = ConnID(77)

// ask has the operator ask for a table, and returns its first part.
func (d *driver) ask(line string) string {
	d.event = Event{Kind: Opened, Conn: operator}
	d.step()
	d.event = Event{Kind: Line, Conn: operator, Line: []byte(line)}
	d.step()
	return d.told()
}

// told returns what the operator was told in the latest step.
func (d *driver) told() string {
	var text strings.Builder
	for i := range d.acts {
		if d.acts[i].Kind == SendText && d.acts[i].Conn == operator {
			text.Write(d.acts[i].Text)
		}
	}
	return text.String()
}

// part lets the time of the next part come and returns it.
func (d *driver) part(t *testing.T) string {
	t.Helper()
	at, ok := d.server.Next()
	if !ok || !at.After(d.now) {
		t.Fatalf("expected a part to be due in a moment, got %v after %v, %v", at, d.now, ok)
	}
	d.now = at
	d.event = Event{Kind: Tick}
	d.step()
	if err := check(d.server); err != nil {
		t.Error(err)
	}
	return d.told()
}

// A table goes out in bounded parts. It has each job once that is there all the
// while, though others come and go, also those around the place that it is at.
func TestATableGoesOutInParts(t *testing.T) {
	const jobs = 5000
	d := newDriver()
	for n := range jobs {
		d.submit(protocol.SubmitJobBg, n)
	}
	text := d.ask("show jobs")
	parts := 1
	gone := map[int]bool{}
	for n := range 40 { // every part finds other jobs gone, before and behind it
		gone[n*100+99], gone[jobs-n*20] = true, true
	}
	for !strings.HasSuffix(text, "\n.\n") && parts < jobs {
		for n := range gone {
			if n%3 == parts%3 {
				d.event = Event{Kind: Line, Conn: client, Line: fmt.Appendf(nil, "cancel job H:localhost:%010d", n)}
				d.step()
			}
		}
		d.submit(protocol.SubmitJobBg, jobs+parts)
		part := d.part(t)
		if rows := strings.Count(part, "\n"); rows > partPlaces+1 || len(part) > partBytes+100 {
			t.Errorf("part %d has %d rows and %d bytes", parts, rows, len(part))
		}
		text += part
		parts++
	}
	if parts < jobs/partPlaces {
		t.Errorf("%d jobs came in %d parts", jobs, parts)
	}
	for n := 1; n <= jobs; n++ {
		if rows := strings.Count(text, fmt.Sprintf("H:localhost:%010d\t", n)); rows != 1 && !gone[n] || rows > 1 {
			t.Errorf("job %d has %d rows", n, rows)
		}
	}
	if _, ok := d.server.Next(); ok || d.server.Lists(operator) {
		t.Error("a part is due behind the last")
	}
}

// Long names make short parts.
func TestAPartHasSoManyBytes(t *testing.T) {
	d := newDriver()
	for n := range 200 {
		d.send(worker, protocol.CanDo, fmt.Appendf(nil, "%03d%s", n, bytes.Repeat([]byte("x"), 490)))
	}
	text := d.ask("status")
	parts := 1
	for ; d.server.Lists(operator); parts++ {
		text += d.part(t)
	}
	if got := strings.Count(text, "\n"); got != 202 || parts != 3 { // and f, and the end
		t.Errorf("%d lines in %d parts", got, parts)
	}
}

// Tables take turns: the second to ask does not wait for the end of the first.
func TestTablesTakeTurns(t *testing.T) {
	d := newDriver()
	for n := range 3 * partPlaces {
		d.submit(protocol.SubmitJobBg, n)
	}
	d.ask("show jobs")
	d.event = Event{Kind: Line, Conn: client, Line: []byte("show unique jobs")}
	d.step()
	var order []ConnID
	for d.server.Lists(operator) || d.server.Lists(client) {
		d.part(t)
		for i := range d.acts {
			order = append(order, d.acts[i].Conn)
		}
	}
	if len(order) < 4 || order[0] != operator || order[1] != client || order[2] != operator {
		t.Errorf("parts went to %v, expected one by one", order)
	}
}

// What a connection says behind its question is answered behind the table, and
// the table of one that has ended is forgotten.
func TestATableComesBeforeWhatFollows(t *testing.T) {
	d := newDriver()
	for n := range 3000 {
		d.submit(protocol.SubmitJobBg, n)
	}
	text := d.ask("show jobs")
	d.event = Event{Kind: Line, Conn: operator, Line: []byte("version")}
	d.step()
	text += d.told()
	if lines := strings.Count(text, "\n"); lines != 3002 || !strings.Contains(text, "\n.\nOK 2.0.0\n") {
		t.Errorf("%d lines, which end in %q", lines, text[len(text)-20:])
	}
	d.ask("show jobs")
	d.event = Event{Kind: Closed, Conn: operator}
	d.step()
	if _, ok := d.server.Next(); ok {
		t.Error("a part is due to nobody")
	}
	if err := check(d.server); err != nil {
		t.Error(err)
	}
	d.now = d.now.Add(time.Hour)
	d.event = Event{Kind: Tick}
	if d.step(); len(d.acts) > 0 {
		t.Errorf("%d actions", len(d.acts))
	}
}
