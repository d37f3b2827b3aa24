package store

import (
	"bytes"
	"testing"
)

// FuzzScan reads any bytes as a segment.
func FuzzScan(f *testing.F) {
	var b Batch
	b.Keep("H:host", 7)
	b.Put(&Job{Number: 8, Function: []byte("f"), Unique: []byte("u"), Reducer: []byte("r"), Workload: []byte("w")})
	b.Attempts(8, 1)
	b.Forget(8)
	b.each(func(offset int, r record) { r.seal(placeOf(1, uint32(offset))) })
	f.Add(b.records)
	f.Add(append(make([]byte, 64), b.records...))
	f.Add(b.records[:len(b.records)-3])
	f.Fuzz(func(t *testing.T, data []byte) {
		covered := make([]bool, len(data))
		cover := func(from, to int) {
			for i := from; i < to; i++ {
				if covered[i] {
					t.Fatalf("byte %d counts twice", i)
				}
				covered[i] = true
			}
		}
		end, damaged := scanRecords(data, 1, func(at place, r record) {
			from := int(at.offset())
			cover(from, from+len(r))
			resealed := record(bytes.Clone(r))
			resealed.seal(at)
			if !bytes.Equal(resealed[:headerSize], r[:headerSize]) {
				t.Fatalf("a record at %d that was never sealed there", from)
			}
			if r.kind() == jobKind {
				var j Job
				r.job(&j)
			}
		})
		if int(end) > len(data) {
			t.Fatalf("the end, %d, is behind the end of the data, %d", end, len(data))
		}
		for _, bad := range damaged {
			cover(bad.from, bad.to)
		}
		for i, b := range data {
			if b != 0 && !covered[i] {
				t.Fatalf("byte %d is of no record and not damaged", i)
			}
		}
	})
}

// FuzzJob writes any job and reads it back.
func FuzzJob(f *testing.F) {
	f.Add(uint32(1), uint8(2), uint32(3), int64(4), []byte("f"), []byte("u"), []byte("r"), []byte("w"), uint32(9))
	f.Fuzz(func(t *testing.T, number uint32, priority uint8, attempts uint32, due int64, function, unique, reducer, workload []byte, offset uint32) {
		want := Job{number, priority, attempts, due, function, unique[:min(255, len(unique))], reducer[:min(255, len(reducer))], workload}
		at := placeOf(1, offset)
		r := record(appendJob(nil, &want))
		r.seal(at)
		if got := whole(r, at); len(got) != len(r) {
			t.Fatalf("expected the record of %d bytes, got %d", len(r), len(got))
		}
		if whole(r, at+align) != nil {
			t.Fatal("a record counts at another place")
		}
		var got Job
		r.job(&got)
		if got.Number != number || got.Priority != priority || got.Attempts != attempts || got.Due != due ||
			!bytes.Equal(got.Function, want.Function) || !bytes.Equal(got.Unique, want.Unique) ||
			!bytes.Equal(got.Reducer, want.Reducer) || !bytes.Equal(got.Workload, want.Workload) {
			t.Fatalf("expected %+v, got %+v", want, got)
		}
	})
}
