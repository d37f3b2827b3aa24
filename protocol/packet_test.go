package protocol

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
)

const testLimit = 1 << 20

// examples has one packet of each type, as it looks on the wire.
var examples = [...]struct {
	t    Type
	name string
	body string
	args []string
}{
	{1, "CAN_DO", "resize", []string{"resize"}},
	{2, "CANT_DO", "resize", []string{"resize"}},
	{3, "RESET_ABILITIES", "", nil},
	{4, "PRE_SLEEP", "", nil},
	{5, "UNUSED", "", nil},
	{6, "NOOP", "", nil},
	{7, "SUBMIT_JOB", "resize\x00u1\x00a\x00b", []string{"resize", "u1", "a\x00b"}},
	{8, "JOB_CREATED", "H:vm:1", []string{"H:vm:1"}},
	{9, "GRAB_JOB", "", nil},
	{10, "NO_JOB", "", nil},
	{11, "JOB_ASSIGN", "H:vm:1\x00resize\x00a\x00b", []string{"H:vm:1", "resize", "a\x00b"}},
	{12, "WORK_STATUS", "H:vm:1\x003\x007", []string{"H:vm:1", "3", "7"}},
	{13, "WORK_COMPLETE", "H:vm:1\x00\x00done\x00", []string{"H:vm:1", "\x00done\x00"}},
	{14, "WORK_FAIL", "H:vm:1", []string{"H:vm:1"}},
	{15, "GET_STATUS", "H:vm:1", []string{"H:vm:1"}},
	{16, "ECHO_REQ", "\x00ping\x00", []string{"\x00ping\x00"}},
	{17, "ECHO_RES", "\x00ping\x00", []string{"\x00ping\x00"}},
	{18, "SUBMIT_JOB_BG", "resize\x00\x00", []string{"resize", "", ""}},
	{19, "ERROR", "QUEUE_ERROR\x00Job queue is full", []string{"QUEUE_ERROR", "Job queue is full"}},
	{20, "STATUS_RES", "H:vm:1\x001\x000\x003\x007", []string{"H:vm:1", "1", "0", "3", "7"}},
	{21, "SUBMIT_JOB_HIGH", "resize\x00-\x00w", []string{"resize", "-", "w"}},
	{22, "SET_CLIENT_ID", "a worker", []string{"a worker"}},
	{23, "CAN_DO_TIMEOUT", "resize\x00\x00\x00\x03\x00", []string{"resize", "\x00\x00\x03\x00"}},
	{24, "ALL_YOURS", "", nil},
	{25, "WORK_EXCEPTION", "H:vm:1\x00why", []string{"H:vm:1", "why"}},
	{26, "OPTION_REQ", "exceptions\x00", []string{"exceptions\x00"}},
	{27, "OPTION_RES", "exceptions\x00", []string{"exceptions\x00"}},
	{28, "WORK_DATA", "H:vm:1\x00part", []string{"H:vm:1", "part"}},
	{29, "WORK_WARNING", "H:vm:1\x00careful", []string{"H:vm:1", "careful"}},
	{30, "GRAB_JOB_UNIQ", "", nil},
	{31, "JOB_ASSIGN_UNIQ", "H:vm:1\x00resize\x00u1\x00w", []string{"H:vm:1", "resize", "u1", "w"}},
	{32, "SUBMIT_JOB_HIGH_BG", "resize\x00u1\x00w", []string{"resize", "u1", "w"}},
	{33, "SUBMIT_JOB_LOW", "resize\x00u1\x00w", []string{"resize", "u1", "w"}},
	{34, "SUBMIT_JOB_LOW_BG", "resize\x00u1\x00w", []string{"resize", "u1", "w"}},
	{35, "SUBMIT_JOB_SCHED", "f\x00u\x001\x002\x003\x004\x005\x00w", []string{"f", "u", "1", "2", "3", "4", "5", "w"}},
	{36, "SUBMIT_JOB_EPOCH", "f\x00u\x001700000000\x00w", []string{"f", "u", "1700000000", "w"}},
	{37, "SUBMIT_REDUCE_JOB", "f\x00u\x00r\x00a\x00w\x00", []string{"f", "u", "r", "a", "w\x00"}},
	{38, "SUBMIT_REDUCE_JOB_BACKGROUND", "f\x00u\x00r\x00\x00w", []string{"f", "u", "r", "", "w"}},
	{39, "GRAB_JOB_ALL", "", nil},
	{40, "JOB_ASSIGN_ALL", "H:vm:1\x00f\x00u\x00r\x00w", []string{"H:vm:1", "f", "u", "r", "w"}},
	{41, "GET_STATUS_UNIQUE", "u1", []string{"u1"}},
	{42, "STATUS_RES_UNIQUE", "u1\x001\x001\x003\x007\x002", []string{"u1", "1", "1", "3", "7", "2"}},
}

// rawFrame builds a frame without the package's own builders.
func rawFrame(magic string, t Type, body string) []byte {
	frame := binary.BigEndian.AppendUint32([]byte(magic), uint32(t))
	frame = binary.BigEndian.AppendUint32(frame, uint32(len(body)))
	return append(frame, body...)
}

func slicesOf(texts []string) [][]byte {
	var out [][]byte
	for _, text := range texts {
		out = append(out, []byte(text))
	}
	return out
}

func checkArgs(t *testing.T, p *Packet, want []string) {
	t.Helper()
	if p.Args() != len(want) {
		t.Fatalf("%v has %d arguments, want %d", p.Type, p.Args(), len(want))
	}
	for i := range want {
		if string(p.Arg(i)) != want[i] {
			t.Errorf("argument %d of %v is %q, want %q", i, p.Type, p.Arg(i), want[i])
		}
	}
	if p.Arg(len(want)) != nil {
		t.Errorf("argument %d of %v is %q, want nil", len(want), p.Type, p.Arg(len(want)))
	}
}

func TestEveryTypeRoundTrips(t *testing.T) {
	for i, example := range examples {
		if int(example.t) != i+1 || example.t.String() != example.name || !example.t.Known() {
			t.Errorf("type %d is %q, want %q", example.t, example.t, example.name)
		}
		for magic, text := range map[Magic]string{Request: "\x00REQ", Response: "\x00RES"} {
			wire := rawFrame(text, example.t, example.body)
			built := AppendFrame([]byte("before"), magic, example.t, slicesOf(example.args)...)
			if string(built) != "before"+string(wire) {
				t.Errorf("built %v as %q, want %q", example.t, built, wire)
			}
			var p Packet
			if err := p.Parse(wire); err != nil {
				t.Errorf("parsing %v: %v", example.t, err)
			}
			if p.Magic != magic || p.Type != example.t || string(p.Body()) != example.body {
				t.Errorf("parsed %q as %v %v %q", wire, p.Magic, p.Type, p.Body())
			}
			checkArgs(t, &p, example.args)
		}
	}
	if len(examples) != int(lastType) {
		t.Errorf("%d examples, want one for each of %d types", len(examples), lastType)
	}
}

func TestUnknownTypesHaveNumbers(t *testing.T) {
	for _, n := range []Type{0, 43, 99, 0x7fffffff} {
		if n.Known() || !strings.HasPrefix(n.String(), "type ") {
			t.Errorf("type %d is known as %v", uint32(n), n)
		}
	}
}

func TestParseIsLenientWhereLibrariesAreSloppy(t *testing.T) {
	tests := []struct {
		name string
		t    Type
		body string
		want []string
	}{
		{"result without NUL", WorkComplete, "H:vm:1", []string{"H:vm:1"}},
		{"data without NUL", WorkData, "H:vm:1", []string{"H:vm:1"}},
		{"warning without NUL", WorkWarning, "H:vm:1", []string{"H:vm:1"}},
		{"exception without NUL", WorkException, "H:vm:1", []string{"H:vm:1"}},
		{"empty result", WorkComplete, "H:vm:1\x00", []string{"H:vm:1", ""}},
		{"status without denominator", WorkStatus, "H:vm:1\x003", []string{"H:vm:1", "3"}},
		{"failure with NUL", WorkFail, "H:vm:1\x00", []string{"H:vm:1"}},
		{"failure with two NULs", WorkFail, "H:vm:1\x00\x00", []string{"H:vm:1\x00"}},
		{"function with NUL", CanDo, "resize\x00", []string{"resize"}},
		{"function lost with NUL", CantDo, "resize\x00", []string{"resize"}},
		{"handle with NUL", GetStatus, "H:vm:1\x00", []string{"H:vm:1"}},
		{"created with NUL", JobCreated, "H:vm:1\x00", []string{"H:vm:1"}},
		{"unique with NUL", GetStatusUnique, "u1\x00", []string{"u1"}},
		{"only a NUL", CanDo, "\x00", []string{""}},
		{"empty function", CanDo, "", []string{""}},
		{"NUL inside a function", CanDo, "ab\x00cd", []string{"ab\x00cd"}},
		{"NUL inside a denominator", WorkStatus, "H:vm:1\x003\x007\x00x", []string{"H:vm:1", "3", "7\x00x"}},
		{"option keeps its NUL", OptionReq, "exceptions\x00", []string{"exceptions\x00"}},
		{"workload keeps its NUL", SubmitJob, "f\x00u\x00w\x00", []string{"f", "u", "w\x00"}},
		{"echo of nothing", EchoReq, "", []string{""}},
		{"body where none belongs", GrabJob, "junk", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var p Packet
			if err := p.Parse(rawFrame("\x00REQ", test.t, test.body)); err != nil {
				t.Fatal(err)
			}
			checkArgs(t, &p, test.want)
		})
	}
}

func TestParseRefusesTooFewArguments(t *testing.T) {
	for _, example := range examples {
		info := example.t.Info()
		for have := 1; have < info.Min; have++ {
			body := strings.Join(example.args[:have], "\x00")
			frame := rawFrame("\x00REQ", example.t, body)
			// What follows in the buffer would complete the packet.
			buffer := append(frame, "\x00\x00\x00\x00\x00\x00\x00\x00"...)
			var p Packet
			err := p.Parse(buffer[:len(frame)])
			var format *FormatError
			if !errors.As(err, &format) || !errors.Is(err, ErrArguments) {
				t.Errorf("%v with %d arguments: %v, want %v", example.t, have, err, ErrArguments)
				continue
			}
			if format.Type != example.t || format.Want != info.Min || format.Got != have {
				t.Errorf("%v with %d arguments: %v", example.t, have, err)
			}
			checkArgs(t, &p, example.args[:have])
		}
	}
}

func TestReduceNeedsFourStrings(t *testing.T) {
	for _, n := range []Type{SubmitReduceJob, SubmitReduceJobBg} {
		var p Packet
		if err := p.Parse(rawFrame("\x00REQ", n, "f\x00u\x00r\x00w")); !errors.Is(err, ErrArguments) {
			t.Errorf("%v with three strings: %v, want %v", n, err, ErrArguments)
		}
	}
}

func TestPacketIsReusable(t *testing.T) {
	var p Packet
	for _, example := range [...]int{34, 2, 12, 36} {
		if err := p.Parse(rawFrame("\x00REQ", examples[example].t, examples[example].body)); err != nil {
			t.Fatal(err)
		}
		checkArgs(t, &p, examples[example].args)
	}
}

func TestArgumentsCannotBeAppendedInto(t *testing.T) {
	frame := rawFrame("\x00REQ", SubmitJob, "f\x00u\x00w")
	before := bytes.Clone(frame)
	var p Packet
	if err := p.Parse(frame); err != nil {
		t.Fatal(err)
	}
	for i := range p.Args() {
		_ = append(p.Arg(i), 'x')
	}
	if !bytes.Equal(frame, before) {
		t.Errorf("appending to arguments made the frame %q, was %q", frame, before)
	}
}

func TestDraftKeepsArgumentsApart(t *testing.T) {
	handle := []byte("H:vm:1\x001\x001") // a GET_STATUS may hold any bytes
	d := Drafted(Response, StatusRes, handle, []byte("0"), []byte("0"), []byte("0"), []byte("0"))
	frame := d.AppendTo(nil)
	if len(frame) != d.Size() {
		t.Errorf("frame of %d bytes, Size said %d", len(frame), d.Size())
	}
	var p Packet
	if err := p.Parse(frame); err != nil {
		t.Fatal(err)
	}
	checkArgs(t, &p, []string{"H:vm:1", "0", "0", "0", "0"})
	if string(d.Arg(0)) != "H:vm:1" || d.Arg(5) != nil {
		t.Errorf("draft has arguments %q and %q", d.Arg(0), d.Arg(5))
	}
}

func TestSubmissions(t *testing.T) {
	want := map[Type]struct {
		priority   Priority
		background bool
	}{
		7: {Normal, false}, 18: {Normal, true}, 21: {High, false}, 32: {High, true},
		33: {Low, false}, 34: {Low, true}, 36: {Normal, true}, 37: {Normal, false}, 38: {Normal, true},
	}
	for n := firstType; n <= lastType; n++ {
		priority, background, ok := n.Submission()
		expected, submits := want[n]
		if ok != submits || priority != expected.priority || background != expected.background {
			t.Errorf("%v: %v %v %v, want %v %v", n, priority, background, ok, expected, submits)
		}
	}
}

// A frame cut in two is the frame, and only what is large is cut off.
func TestAppendCut(t *testing.T) {
	for _, size := range []int{0, Large - 1, Large, Large + 1} {
		workload := bytes.Repeat([]byte("w"), size)
		d := Drafted(Request, SubmitJob, []byte("resize"), []byte("u1"), workload)
		head, large := d.AppendCut([]byte("before"))
		if want := d.AppendTo([]byte("before")); !bytes.Equal(append(head, large...), want) {
			t.Errorf("%d bytes: head and large are not the frame", size)
		}
		if shared := size >= Large && &large[0] == &workload[0]; shared != (large != nil) {
			t.Errorf("%d bytes: %d were cut off, shared %v", size, len(large), shared)
		}
	}
	d := Drafted(Request, GrabJob)
	if head, large := d.AppendCut(nil); large != nil || len(head) != HeaderSize {
		t.Errorf("without arguments: %d and %d bytes", len(head), len(large))
	}
}
