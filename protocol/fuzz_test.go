package protocol

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
)

// fuzzLimit keeps the bodies small that a fuzzer must find the end of.
const fuzzLimit = 256

func addFrames(f *testing.F) {
	for _, example := range examples {
		f.Add(rawFrame("\x00REQ", example.t, example.body))
	}
}

// FuzzSplit checks that a stream reads the same whole and cut in two, and that
// what is read is a prefix within the limit.
func FuzzSplit(f *testing.F) {
	addFrames(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		frame, err := Split(data, fuzzLimit)
		h, done, headerErr := ParseHeader(data, fuzzLimit)
		if (err == nil) != (headerErr == nil) {
			t.Fatalf("Split says %v, ParseHeader %v", err, headerErr)
		}
		if frame != nil && (!done || len(frame) != HeaderSize+h.Size || h.Size > fuzzLimit || !bytes.HasPrefix(data, frame)) {
			t.Fatalf("header %+v, frame %q", h, frame)
		}
		for cut := range data {
			early, earlyErr := Split(data[:cut], fuzzLimit)
			if early != nil && !bytes.Equal(early, frame) {
				t.Fatalf("cut at %d gives %q, whole %q", cut, early, frame)
			}
			if earlyErr != nil && err == nil {
				t.Fatalf("cut at %d gives %v, whole is fine", cut, earlyErr)
			}
		}
	})
}

// FuzzPacketParse checks that a body that can be read is built again, and then
// reads the same.
func FuzzPacketParse(f *testing.F) {
	for _, example := range examples {
		f.Add(uint8(example.t), []byte(example.body))
	}
	f.Fuzz(func(t *testing.T, number uint8, body []byte) {
		n := firstType + Type(number)%lastType
		var p Packet
		if err := p.Parse(rawFrame("\x00REQ", n, string(body))); err != nil {
			if !errors.Is(err, ErrArguments) || p.Args() >= n.Info().Min {
				t.Fatalf("%v of %q: %v with %d arguments", n, body, err, p.Args())
			}
			return
		}
		args := make([][]byte, len(n.Info().Args))
		for i := range args {
			args[i] = p.Arg(i)
		}
		d := Drafted(Request, n, args...)
		again := d.AppendTo(nil)
		if len(again) != d.Size() {
			t.Fatalf("%v: frame of %d bytes, Size said %d", n, len(again), d.Size())
		}
		frame, err := Split(again, len(again))
		if err != nil || !bytes.Equal(frame, again) {
			t.Fatalf("%v: split %q of %q, error %v", n, frame, again, err)
		}
		if n.Info().TrimNUL {
			return // a second NUL at the end is only trimmed now
		}
		var q Packet
		if err := q.Parse(frame); err != nil {
			t.Fatal(err)
		}
		for i := range args {
			if !bytes.Equal(q.Arg(i), args[i]) {
				t.Fatalf("argument %d of %v was %q, is %q", i, n, args[i], q.Arg(i))
			}
		}
	})
}

// FuzzLine checks that words hold no separators and that a line built anew
// reads the same.
func FuzzLine(f *testing.F) {
	for _, line := range []string{"status\n", " \r\n", "cancel job H:vm:1\r\n", "maxqueue f 1 2 3\n", "a\x00b  c\n", "show\n"} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		line, err := SplitLine(data, fuzzLimit)
		if len(line) > fuzzLimit || !bytes.HasPrefix(data, line) || err != nil && len(data) < fuzzLimit {
			t.Fatalf("line %q, error %v", line, err)
		}
		var l Line
		if line == nil || l.Parse(TrimEnd(line)) != nil {
			return
		}
		for i := range l.Words() {
			if bytes.ContainsAny(l.Word(i), " \x00\n") {
				t.Fatalf("word %d of %q is %q", i, line, l.Word(i))
			}
		}
		var again Line
		text := l.AppendTo(nil)
		if err := again.Parse(TrimEnd(text)); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(wordsOf(&again), wordsOf(&l)) || again.Verb != l.Verb {
			t.Fatalf("%q is built as %q", line, text)
		}
		if l.Verb == VerbNone && !bytes.HasPrefix(l.AppendRefusal(nil), []byte("ERR ")) {
			t.Fatalf("%q is refused with %q", line, l.AppendRefusal(nil))
		}
	})
}

func wordsOf(l *Line) []string {
	var words []string
	for i := range l.Words() {
		words = append(words, string(l.Word(i)))
	}
	return words
}

// fuzzRow checks that a row that can be read reads the same when it is built
// again. A NUL in it is not printed, so that such rows are left out.
func fuzzRow(t *testing.T, line []byte, parse func([]byte) error, build func([]byte) []byte) {
	if bytes.ContainsAny(line, "\x00\n") {
		return
	}
	if err := parse(line); err != nil {
		if !errors.Is(err, ErrRow) {
			t.Fatalf("%q: %v, want %v", line, err, ErrRow)
		}
		return
	}
	first := build(nil)
	if err := parse(bytes.TrimSuffix(first, []byte("\n"))); err != nil { // a CR before it is the last word's
		t.Fatalf("%q, built from %q: %v", first, line, err)
	}
	if second := build(nil); !bytes.Equal(first, second) {
		t.Fatalf("%q is built as %q, then as %q", line, first, second)
	}
}

func FuzzStatusRow(f *testing.F) {
	f.Add([]byte("ns\tfunc\t1\t1\t10"))
	f.Fuzz(func(t *testing.T, line []byte) {
		var r StatusRow
		fuzzRow(t, line, r.Parse, r.AppendTo)
	})
}

func FuzzPriorityRow(f *testing.F) {
	f.Add([]byte("ns\tfunc\t1\t2\t3\t4"))
	f.Fuzz(func(t *testing.T, line []byte) {
		var r PriorityRow
		fuzzRow(t, line, r.Parse, r.AppendTo)
	})
}

func FuzzJobRow(f *testing.F) {
	f.Add([]byte("H:vm:5\t3\t0\t1"))
	f.Fuzz(func(t *testing.T, line []byte) {
		var r JobRow
		fuzzRow(t, line, r.Parse, r.AppendTo)
	})
}
