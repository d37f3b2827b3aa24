package protocol

import (
	"bytes"
	"fmt"
	"testing"
)

// noAllocations fails if f allocates.
func noAllocations(t *testing.T, what string, f func()) {
	t.Helper()
	if n := testing.AllocsPerRun(100, f); n != 0 {
		t.Errorf("%s allocates %v times", what, n)
	}
}

func TestPacketsDoNotAllocate(t *testing.T) {
	buffer := make([]byte, 0, 4096)
	for _, example := range examples {
		wire := rawFrame("\x00REQ", example.t, example.body)
		args := slicesOf(example.args)
		var p Packet
		noAllocations(t, "parsing "+example.name, func() {
			frame, err := Split(wire, testLimit)
			if err == nil {
				err = p.Parse(frame)
			}
			if err != nil || len(p.Arg(0)) > len(wire) {
				t.Fatal(err)
			}
		})
		noAllocations(t, "building "+example.name, func() {
			buffer = AppendFrame(buffer[:0], Request, example.t, args...)
		})
		noAllocations(t, "forwarding "+example.name, func() {
			d := Drafted(Response, p.Type, p.Arg(0), p.Arg(1))
			buffer = d.AppendTo(buffer[:0])
		})
	}
}

func TestTextDoesNotAllocate(t *testing.T) {
	buffer := make([]byte, 0, 4096)
	line := []byte("maxqueue resize 1 2 3\r\n")
	refused := []byte("create nothing\r\n")
	var l Line
	noAllocations(t, "parsing a line", func() {
		unit, err := SplitLine(line, LineLimit)
		if err == nil {
			err = l.Parse(TrimEnd(unit))
		}
		if err != nil || l.Verb != VerbMaxQueue {
			t.Fatal(l.Verb, err)
		}
	})
	noAllocations(t, "refusing a line", func() {
		if err := l.Parse(TrimEnd(refused)); err != nil {
			t.Fatal(err)
		}
		buffer = l.AppendRefusal(buffer[:0])
	})
	statusLine := []byte("resize\t12\t3\t4")
	var status StatusRow
	worker := WorkerRow{Number: 38, Peer: []byte("127.0.0.1"), ID: []byte("wk-1"), Functions: slicesOf([]string{"delta", "gamma"})}
	noAllocations(t, "a row of status", func() {
		if err := status.Parse(statusLine); err != nil {
			t.Fatal(err)
		}
		buffer = status.AppendTo(buffer[:0])
	})
	noAllocations(t, "a row of workers", func() {
		buffer = worker.AppendTo(buffer[:0])
	})
}

func BenchmarkSplitAndParse(b *testing.B) {
	for _, size := range []int{16, 1 << 10, 1 << 20} {
		b.Run(fmt.Sprintf("workload=%d", size), func(b *testing.B) {
			wire := AppendFrame(nil, Request, SubmitJob, []byte("resize"), []byte("a-unique-of-36-bytes-as-libgearman's"), bytes.Repeat([]byte("x"), size))
			b.SetBytes(int64(len(wire)))
			b.ReportAllocs()
			var p Packet
			for b.Loop() {
				frame, err := Split(wire, 1<<30)
				if err != nil || p.Parse(frame) != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDraftAndAppend(b *testing.B) {
	for _, size := range []int{16, 1 << 10, 1 << 20} {
		b.Run(fmt.Sprintf("workload=%d", size), func(b *testing.B) {
			function, unique := []byte("resize"), []byte("a-unique-of-36-bytes-as-libgearman's")
			workload := bytes.Repeat([]byte("x"), size)
			var buffer []byte
			b.ReportAllocs()
			for b.Loop() {
				buffer = AppendFrame(buffer[:0], Request, SubmitJob, function, unique, workload)
			}
			b.SetBytes(int64(len(buffer)))
		})
	}
}

func BenchmarkParseLine(b *testing.B) {
	line := []byte("status\r\n")
	b.ReportAllocs()
	var l Line
	for b.Loop() {
		unit, err := SplitLine(line, LineLimit)
		if err != nil || l.Parse(TrimEnd(unit)) != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkStatusRow(b *testing.B) {
	line := []byte("resize\t12\t3\t4")
	var buffer []byte
	b.ReportAllocs()
	var r StatusRow
	for b.Loop() {
		if err := r.Parse(line); err != nil {
			b.Fatal(err)
		}
		buffer = r.AppendTo(buffer[:0])
	}
}
