package protocol

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// maxArgs is the argument count of SUBMIT_JOB_SCHED.
const maxArgs = 8

// A Packet is a decoded view of one frame. Its slices alias the frame and
// must be copied to outlive it. A Packet may be reused for the next frame.
type Packet struct {
	Magic Magic
	Type  Type
	body  []byte
	ends  [maxArgs]uint32 // end of each argument in body, its NUL excluded
	count int
}

// Parse decodes frame, which must be complete, as Split returns it. It never
// looks past the frame's own end: too few NULs in the body is ErrArguments,
// after which the arguments found can still be read, and the stream followed.
func (p *Packet) Parse(frame []byte) error {
	p.Magic = Magic(binary.BigEndian.Uint32(frame))
	p.Type = Type(binary.BigEndian.Uint32(frame[4:]))
	p.body = frame[HeaderSize:]
	info := p.Type.Info()
	p.count = 0
	from := 0
	for last := len(info.Args) - 1; p.count < last; p.count++ {
		n := bytes.IndexByte(p.body[from:], 0)
		if n < 0 {
			break
		}
		p.ends[p.count] = uint32(from + n)
		from += n + 1
	}
	if len(info.Args) == 0 {
		return nil // gearmand ignores a body where none belongs
	}
	end := len(p.body)
	if info.TrimNUL && end > from && p.body[end-1] == 0 {
		end--
	}
	p.ends[p.count] = uint32(end)
	p.count++
	if p.count < info.Min {
		return &FormatError{Err: ErrArguments, Type: p.Type, Want: info.Min, Got: p.count, Snippet: snippet(p.body)}
	}
	return nil
}

// Arg returns the i-th argument without its NUL, or nil where the packet has
// fewer. It aliases the frame.
func (p *Packet) Arg(i int) []byte {
	if i >= p.count {
		return nil
	}
	from := uint32(0)
	if i > 0 {
		from = p.ends[i-1] + 1
	}
	return p.body[from:p.ends[i]:p.ends[i]]
}

// Args returns how many arguments the packet has.
func (p *Packet) Args() int { return p.count }

// Body returns the undivided body. It aliases the frame.
func (p *Packet) Body() []byte { return p.body }

// Large is the length in bytes from which a slice is worth handing on rather
// than copying. Where a contract says that large slices are shared, nobody
// writes to such a slice while somebody is known to have it.
const Large = 64 << 10

// A Draft is a packet not built yet: a type and its arguments, which alias
// whatever they were taken from until AppendTo has copied them.
type Draft struct {
	Magic Magic
	Type  Type
	args  [maxArgs][]byte
	count int
}

// Drafted returns a draft of a packet with the given arguments.
func Drafted(m Magic, t Type, args ...[]byte) (d Draft) {
	d.Fill(m, t, args...)
	return d
}

// Fill makes d a draft of a packet with the given arguments, which must be as
// many as the table says. Every one but the last ends at its first NUL, so
// that no argument a peer sent can shift those behind it.
func (d *Draft) Fill(m Magic, t Type, args ...[]byte) {
	d.Magic, d.Type, d.count = m, t, len(args)
	for i, arg := range args {
		if i < len(args)-1 {
			arg = untilNUL(arg)
		}
		d.args[i] = arg
	}
}

// Arg returns the i-th argument, or nil where there are fewer.
func (d *Draft) Arg(i int) []byte {
	if i >= d.count {
		return nil
	}
	return d.args[i]
}

// Size returns the length of the frame that AppendTo appends.
func (d *Draft) Size() int {
	size := HeaderSize
	for i := range d.count {
		size += len(d.args[i]) + 1
	}
	if d.count > 0 {
		size-- // no NUL behind the last
	}
	return size
}

// AppendTo appends the frame of d to dst.
func (d *Draft) AppendTo(dst []byte) []byte {
	size := d.Size()
	dst = slices.Grow(dst, size)
	return append(d.appendHead(dst, size), d.last()...)
}

// AppendCut is AppendTo for whoever can write two pieces as well as one: a
// last argument of Large bytes or more is not appended but returned, as it is.
func (d *Draft) AppendCut(dst []byte) (head, large []byte) {
	if large = d.last(); len(large) < Large {
		return d.AppendTo(dst), nil
	}
	return d.appendHead(dst, d.Size()), large
}

// appendHead appends all of a frame of size bytes but its last argument.
func (d *Draft) appendHead(dst []byte, size int) []byte {
	dst = AppendHeader(dst, d.Magic, d.Type, size-HeaderSize)
	for i := range d.count - 1 {
		dst = append(dst, d.args[i]...)
		dst = append(dst, 0)
	}
	return dst
}

func (d *Draft) last() []byte {
	if d.count == 0 {
		return nil
	}
	return d.args[d.count-1]
}

// AppendFrame appends the frame of a packet with the given arguments.
func AppendFrame(dst []byte, m Magic, t Type, args ...[]byte) []byte {
	var d Draft
	d.Fill(m, t, args...)
	return d.AppendTo(dst)
}
