package router

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
)

// maxUnique is the longest unique in bytes, as in gearmand.
const maxUnique = 64

// maxSent is the longest unique that gearmand 1.1.20 keeps whole. It takes one
// byte more and cuts it: jobs with such a unique are never joined, are not found
// by it, and their workers get a workload with a NUL in front. So it is sent a
// unique that stands for the whole one:
//
//	geargate:x:<43>  64 hexadecimal digits, such as a SHA-256: their bytes in base64
//	geargate:X:<43>  the same in capital letters
//	geargate:h:<43>  any other: its SHA-256 in base64
//
// The first two can be turned back without a table: by another Geargate, and after
// a restart. What stands for the third is remembered for the last ones.
const maxSent = 63

const (
	standIn     = "geargate:"
	lowerDigits = standIn + "x:"
	upperDigits = standIn + "X:"
	hashed      = standIn + "h:"
)

var standInText = base64.RawURLEncoding.Strict()

// standInSize is the length of each of them.
var standInSize = len(hashed) + standInText.EncodedLen(sha256.Size)

// sentUnique returns what b is sent for a unique. It is valid until the next step.
func (r *Router) sentUnique(b *backend, unique []byte) []byte {
	if b.sound || len(unique) <= maxSent && !isStandIn(unique) {
		return unique
	}
	digits, err := hex.AppendDecode(nil, unique)
	switch {
	case err != nil || len(unique) <= maxSent:
	case bytes.Equal(bytes.ToLower(unique), unique):
		return r.standInFor(lowerDigits, digits)
	case bytes.Equal(bytes.ToUpper(unique), unique):
		return r.standInFor(upperDigits, digits)
	}
	sum := sha256.Sum256(unique)
	return r.standInFor(hashed, sum[:])
}

func (r *Router) standInFor(kind string, value []byte) []byte {
	from := len(r.scratch)
	r.scratch = standInText.AppendEncode(append(r.scratch, kind...), value)
	return r.scratch[from:len(r.scratch):len(r.scratch)]
}

// isStandIn reports whether a unique looks like one that stands for another. A
// client's own unique may: then another stands for it.
func isStandIn(unique []byte) bool {
	return len(unique) == standInSize && bytes.HasPrefix(unique, []byte(standIn))
}

// wholeUnique returns the unique that the one of a backend stands for.
func (r *Router) wholeUnique(sent []byte) []byte {
	if !isStandIn(sent) {
		return sent
	}
	kind, text := string(sent[:len(hashed)]), sent[len(hashed):]
	digits, err := standInText.AppendDecode(nil, text)
	switch {
	case err == nil && kind == lowerDigits:
		return hex.AppendEncode(nil, digits)
	case err == nil && kind == upperDigits:
		return bytes.ToUpper(hex.AppendEncode(nil, digits))
	}
	if whole, ok := r.uniques.whole(sent); ok {
		return whole
	}
	return sent
}

// uniques remembers which unique a hash stands for that a job was sent under.
type uniques struct {
	newer, older map[string]string
}

// maxUniques is how many are remembered at least; twice as many at most.
const maxUniques = 8 << 10

// add remembers whole, which was sent as sent, where that is a hash.
func (u *uniques) add(sent, whole []byte) {
	if !bytes.HasPrefix(sent, []byte(hashed)) || bytes.Equal(sent, whole) {
		return
	}
	if u.newer == nil || len(u.newer) >= maxUniques {
		u.newer, u.older = map[string]string{}, u.newer
	}
	u.newer[string(sent)] = string(whole)
}

func (u *uniques) whole(sent []byte) ([]byte, bool) {
	whole, ok := u.newer[string(sent)]
	if !ok {
		whole, ok = u.older[string(sent)]
	}
	return []byte(whole), ok
}
