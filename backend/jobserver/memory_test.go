package jobserver

import (
	"bytes"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
)

func TestArenaKeepsTextsApart(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	type text struct {
		at   blob
		want []byte
	}
	var a arena
	var texts []text
	for range 20_000 {
		if len(texts) > 0 && random.IntN(100) < 48 {
			i := random.IntN(len(texts))
			checkText(t, &a, texts[i].at, texts[i].want)
			a.give(texts[i].at)
			texts[i] = texts[len(texts)-1]
			texts = texts[:len(texts)-1]
			continue
		}
		size := random.IntN(300)
		if random.IntN(50) == 0 {
			size = random.IntN(2 * largestSlot)
		}
		want := bytes.Repeat([]byte{byte(random.Uint32())}, size)
		at := a.take(size)
		copy(a.bytes(at), want)
		texts = append(texts, text{at, want})
	}
	for _, text := range texts {
		checkText(t, &a, text.at, text.want)
		a.give(text.at)
	}
	kept := 0
	for number := range a.pages {
		if a.pages[number].data != nil {
			kept++
		}
	}
	if kept == 0 || kept > slotSizes {
		t.Errorf("expected one page of each size to be kept at most, got %d", kept)
	}
}

func checkText(t *testing.T, a *arena, at blob, want []byte) {
	t.Helper()
	if got := a.bytes(at)[:len(want)]; !bytes.Equal(got, want) {
		t.Fatalf("expected %d bytes of %x, got %.40x", len(want), want[0], got)
	}
}

func TestSlotsAreBarelyLargerThanAskedFor(t *testing.T) {
	sizes := map[int]int{}
	for size := 1; size <= largestSlot; size++ {
		class, slot := slotClass(size)
		if class < 0 || class >= slotSizes {
			t.Fatalf("%d bytes: class %d is not below %d", size, class, slotSizes)
		}
		if slot < size || slot-size >= max(fineStep, size/coarseSteps+1) {
			t.Fatalf("%d bytes: slot of %d", size, slot)
		}
		if before, known := sizes[class]; known && before != slot {
			t.Fatalf("class %d has slots of %d and of %d", class, before, slot)
		}
		sizes[class] = slot
	}
	if len(sizes) != slotSizes {
		t.Errorf("expected %d classes to be used, got %d", slotSizes, len(sizes))
	}
}

func TestSlabHandsOutEachPlaceOnce(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	var s slab[uint64]
	taken := map[uint32]uint64{}
	var ids []uint32
	for step := range uint64(60_000) {
		if len(ids) > 0 && random.IntN(100) < 45 {
			i := random.IntN(len(ids))
			if got := *s.at(ids[i]); got != taken[ids[i]] {
				t.Fatalf("record %d: expected %d, got %d", ids[i], taken[ids[i]], got)
			}
			s.give(ids[i])
			delete(taken, ids[i])
			ids[i] = ids[len(ids)-1]
			ids = ids[:len(ids)-1]
			continue
		}
		id := s.take()
		if _, twice := taken[id]; twice || id == 0 || *s.at(id) != 0 {
			t.Fatalf("record %d: taken twice, number 0 or not cleared", id)
		}
		*s.at(id) = step + 1
		taken[id] = step + 1
		ids = append(ids, id)
	}
	if s.live != len(ids) {
		t.Errorf("expected %d records, got %d", len(ids), s.live)
	}
	for _, id := range ids {
		s.give(id)
	}
	if n := chunks(&s); n != 1 {
		t.Errorf("expected one empty chunk to be kept, got %d", n)
	}
}

// TestTableGrowsAndShrinks fills a table well beyond its first segment, with
// keys of which many are equal, and empties it again.
func TestTableGrowsAndShrinks(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	var jobs slab[job]
	table := newTable(&jobs, byUnique)
	var ids []uint32
	newest := map[uint32]uint32{}
	for range 10_000 {
		id, key := jobs.take(), random.Uint32()%8000*0x9e3779b1
		table.add(id, key)
		newest[key] = id
		ids = append(ids, id)
	}
	if table.size != 10_000 {
		t.Errorf("expected a bucket for each job, got %d", table.size)
	}
	for key, want := range newest {
		got := table.first(key)
		for got != 0 && jobs.at(got).chained[byUnique].key != key {
			got = table.next(got)
		}
		if got != want {
			t.Fatalf("key %x: expected the newest job %d first, got %d", key, want, got)
		}
	}
	random.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	for i, id := range ids {
		key := jobs.at(id).chained[byUnique].key
		found := table.first(key)
		for found != id && found != 0 {
			found = table.next(found)
		}
		if found == 0 {
			t.Fatalf("job %d of %d is not found any more", i, len(ids))
		}
		table.remove(id)
		jobs.give(id)
	}
	if table.count != 0 || table.size != segmentSize || len(table.segments) != 1 {
		t.Errorf("expected an empty table of one segment, got %d jobs, %d buckets, %d segments",
			table.count, table.size, len(table.segments))
	}
}

func TestTimersComeInOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	var jobs slab[job]
	timers := timers{jobs: &jobs}
	at := map[uint32]int64{}
	for range 20_000 {
		id := jobs.take()
		at[id] = random.Int64N(5000)
		timers.add(id, at[id])
		if random.IntN(3) == 0 {
			gone := timers.heap[random.IntN(len(timers.heap))].job
			timers.cancel(gone)
			timers.cancel(gone) // has none any more
			delete(at, gone)
		}
	}
	if len(timers.heap) != len(at) {
		t.Fatalf("expected %d timers, got %d", len(at), len(timers.heap))
	}
	before := int64(0)
	for len(timers.heap) > 0 {
		first := timers.heap[0]
		if first.at < before || first.at != at[first.job] {
			t.Fatalf("expected a timer from %d on that is due at %d, got %d", before, at[first.job], first.at)
		}
		before = first.at
		timers.cancel(first.job)
	}
	if cap(timers.heap) > 8*slabSize {
		t.Errorf("expected the memory of the heap to be given back, it holds %d", cap(timers.heap))
	}
}

func TestNumbersAreUsedAgainOnlyWhenFree(t *testing.T) {
	s := New(DefaultConfig())
	first := s.jobs.take()
	s.numbers.add(first, s.nextNumber())
	s.lastNumber = 1<<32 - 2
	for _, want := range []uint32{1<<32 - 1, 2} { // neither 0 nor the 1 in use
		if got := s.nextNumber(); got != want {
			t.Errorf("expected number %d, got %d", want, got)
		}
	}
	last := s.jobs.take()
	s.numbers.add(last, 1<<32-1)
	if got := s.find([]byte("H:localhost:4294967295")); got != last {
		t.Errorf("expected job %d under the highest number, got %d", last, got)
	}
}

func TestParseNumber(t *testing.T) {
	for _, c := range []struct {
		text string
		want int64
		ok   bool
	}{
		{"", 0, true}, {"x", 0, true}, {"-", 0, true}, {"12", 12, true}, {" \t+7 x", 7, true}, {"-3", -3, true},
		{"1.5", 1, true},
		{"9223372036854775807", 1<<63 - 1, true}, {"9223372036854775808", 1<<63 - 1, false},
		{"-9223372036854775808", -1 << 63, true}, {"-9223372036854775809", -1 << 63, false},
		{"99999999999999999999999", 1<<63 - 1, false},
	} {
		if got, ok := parseNumber([]byte(c.text)); got != c.want || ok != c.ok {
			t.Errorf("%q: expected %d, %v, got %d, %v", c.text, c.want, c.ok, got, ok)
		}
	}
}

// TestATickDoesABoundedAmountOfWork has more jobs fall due at once than one
// Tick takes.
func TestATickDoesABoundedAmountOfWork(t *testing.T) {
	d := newDriver()
	due := d.now.Unix() + 10
	const jobs = 2*timersAtOnce + 500
	for n := range jobs {
		d.send(client, protocol.SubmitJobEpoch, functionName, uniqueOf(n), strconv.AppendInt(nil, due, 10), nil)
	}
	d.send(worker, protocol.PreSleep)
	d.now = d.now.Add(10 * time.Second)
	for _, want := range []int{timersAtOnce, 2 * timersAtOnce, jobs} {
		if at, ok := d.server.Next(); !ok || at.After(d.now) {
			t.Fatalf("expected a tick to be due, got %v, %v", at, ok)
		}
		d.event = Event{Kind: Tick}
		d.step()
		if got := jobs - len(d.server.timers.heap); got != want {
			t.Errorf("expected %d jobs to be released, got %d", want, got)
		}
	}
	if _, ok := d.server.Next(); ok {
		t.Error("expected no further tick to be due")
	}
	if err := check(d.server); err != nil {
		t.Error(err)
	}
}

// A function with a name that no library would register is forgotten with its
// last worker and its last job; others are remembered.
func TestLongNamesAreForgotten(t *testing.T) {
	d := newDriver()
	before := len(d.server.names)
	long, short := bytes.Repeat([]byte("n"), memorable+1), bytes.Repeat([]byte("n"), memorable)
	d.event = Event{Kind: Opened, Conn: 77}
	d.step()
	for _, name := range [][]byte{long, short} {
		d.send(77, protocol.CanDo, name)
		d.send(77, protocol.SubmitJobBg, name, nil, nil)
		d.send(77, protocol.CantDo, name)
	}
	if got := len(d.server.names) - before; got != 2 {
		t.Errorf("%d functions are known while both have a job, expected 2", got)
	}
	for _, name := range [][]byte{long, short} {
		d.send(77, protocol.CanDo, name)
		d.send(77, protocol.GrabJob)
	}
	for n := range uint32(2) {
		d.send(77, protocol.WorkComplete, d.server.appendHandle(nil, d.server.lastNumber-n), nil)
	}
	d.send(77, protocol.ResetAbilities)
	if d.server.names[string(long)] != 0 || d.server.names[string(short)] == 0 {
		t.Errorf("%d functions are left, expected the one with the short name", len(d.server.names)-before)
	}
}
