package protocol

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// cutUnits takes every complete frame and line from data, as a session does,
// and returns them with what is left.
func cutUnits(data []byte) (units []string, rest []byte, err error) {
	for len(data) > 0 {
		var unit []byte
		if data[0] == 0 {
			unit, err = Split(data, testLimit)
		} else {
			unit, err = SplitLine(data, LineLimit)
		}
		if err != nil || unit == nil {
			break
		}
		units = append(units, describe(unit))
		data = data[len(unit):]
	}
	return units, data, err
}

// describe decodes a unit, so that streams are compared by meaning.
func describe(unit []byte) string {
	if unit[0] != 0 {
		var l Line
		err := l.Parse(TrimEnd(unit))
		return fmt.Sprintf("line %v %q %v", l.Verb, l.words[:l.count], err)
	}
	var p Packet
	err := p.Parse(unit)
	text := fmt.Sprintf("%v %v %v", p.Magic, p.Type, err)
	for i := range p.Args() {
		text += fmt.Sprintf(" %q", p.Arg(i))
	}
	return text
}

// mixedStream is every packet type in both directions, with lines between.
func mixedStream() (stream []byte, units int) {
	lines := []string{"status\n", "workers\r\n", "\n", " x\n", "maxqueue f 1 2 3\r\n", "create function f\r\n", "rub\x00bish\r\r\n"}
	for i, example := range examples {
		stream = append(stream, rawFrame("\x00REQ", example.t, example.body)...)
		stream = append(stream, lines[i%len(lines)]...)
		stream = append(stream, rawFrame("\x00RES", example.t, example.body)...)
	}
	return stream, 3 * len(examples)
}

func TestStreamCutAtEveryByte(t *testing.T) {
	stream, count := mixedStream()
	whole, rest, err := cutUnits(stream)
	if len(whole) != count || len(rest) != 0 || err != nil {
		t.Fatalf("%d units, %d bytes left, error %v; want %d units", len(whole), len(rest), err, count)
	}
	for cut := range stream {
		head, rest, err := cutUnits(stream[:cut])
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		tail, rest, err := cutUnits(append(slices.Clone(rest), stream[cut:]...))
		if err != nil || len(rest) != 0 {
			t.Fatalf("cut at %d: %d bytes left, error %v", cut, len(rest), err)
		}
		if got := append(head, tail...); !slices.Equal(got, whole) {
			t.Fatalf("cut at %d: %q, want %q", cut, got, whole)
		}
	}
}

func TestStreamFedByteByByte(t *testing.T) {
	stream, _ := mixedStream()
	whole, _, _ := cutUnits(stream)
	var got []string
	var kept []byte
	for i := range stream {
		units, rest, err := cutUnits(append(kept, stream[i]))
		if err != nil {
			t.Fatalf("at byte %d: %v", i, err)
		}
		got, kept = append(got, units...), slices.Clone(rest)
	}
	if !slices.Equal(got, whole) {
		t.Errorf("byte by byte gave %q, want %q", got, whole)
	}
}

func TestSpoiledPacketDoesNotSpoilTheNext(t *testing.T) {
	stream := rawFrame("\x00REQ", SubmitJob, "f\x00u")
	stream = append(stream, rawFrame("\x00REQ", EchoReq, "after\x00")...)
	stream = append(stream, "a b c d e f\nversion\n"...)
	units, rest, err := cutUnits(stream)
	if err != nil || len(rest) != 0 || len(units) != 4 {
		t.Fatalf("%q, %d bytes left, error %v", units, len(rest), err)
	}
	for i, want := range []string{"expected 3", `"after\x00"`, ErrWords.Error(), "line version"} {
		got := units[i]
		if !strings.Contains(got, want) {
			t.Errorf("unit %d is %q, want it to say %q", i, got, want)
		}
	}
}
