package protocol

import "encoding/binary"

// HeaderSize is the length of every frame's header: magic, type and body
// length, four bytes each, big-endian.
const HeaderSize = 12

// Magic is the first four bytes of a frame; it says which way the frame goes.
type Magic uint32

const (
	Request  Magic = 0x00524551 // "\0REQ", to a job server
	Response Magic = 0x00524553 // "\0RES", from a job server
)

// Header is the decoded header of a frame.
type Header struct {
	Magic Magic
	Type  Type
	Size  int // of the body, in bytes
}

// ParseHeader decodes the header at the start of data, which must begin with
// a NUL. It returns done false if more bytes are needed; a wrong magic is
// found as soon as its four bytes are there, and so is a wrong type. A body of
// more than limit bytes, which must not be negative, is ErrFrameTooLarge, so
// that nobody reserves memory for it.
func ParseHeader(data []byte, limit int) (h Header, done bool, err error) {
	if len(data) < 4 {
		return h, false, nil
	}
	h.Magic = Magic(binary.BigEndian.Uint32(data))
	if h.Magic != Request && h.Magic != Response {
		return h, false, formatError(ErrMagic, data[:4])
	}
	if len(data) < 8 {
		return h, false, nil
	}
	h.Type = Type(binary.BigEndian.Uint32(data[4:]))
	if !h.Type.Known() {
		return h, false, &FormatError{Err: ErrType, Type: h.Type, Snippet: snippet(data[:8])}
	}
	if len(data) < HeaderSize {
		return h, false, nil
	}
	size := binary.BigEndian.Uint32(data[8:])
	if uint64(size) > uint64(limit) {
		return h, false, &FormatError{Err: ErrFrameTooLarge, Type: h.Type, Want: limit, Got: int(size), Snippet: snippet(data[:HeaderSize])}
	}
	h.Size = int(size)
	return h, true, nil
}

// Split returns the first complete frame in data, or nil if more bytes are
// needed. The frame aliases data; its length says how far to advance. data
// must begin with a NUL: anything else is an admin line. An error means that
// the stream cannot be followed any further.
func Split(data []byte, limit int) (frame []byte, err error) {
	h, done, err := ParseHeader(data, limit)
	if err != nil || !done || len(data)-HeaderSize < h.Size {
		return nil, err
	}
	return data[: HeaderSize+h.Size : HeaderSize+h.Size], nil
}

// AppendHeader appends the header of a frame whose body has size bytes, which
// must be below 4 GiB.
func AppendHeader(dst []byte, m Magic, t Type, size int) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(m))
	dst = binary.BigEndian.AppendUint32(dst, uint32(t))
	return binary.BigEndian.AppendUint32(dst, uint32(size))
}
