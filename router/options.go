package router

import (
	"bytes"
	"slices"

	"github.com/geargate/geargate/protocol"
)

// option answers OPTION_REQ. There is one option, which cannot be taken back;
// its name is compared as a C string in any case, and the answer repeats it
// as it came.
func (r *Router) option(s *session, name []byte) {
	text, _, _ := bytes.Cut(name, []byte{0})
	if !bytes.EqualFold(text, []byte("exceptions")) {
		r.replyError(s, protocol.RefuseOption)
		return
	}
	s.exceptions = true
	r.reply(s, protocol.OptionRes, name)
}

// maxClientID is how much of a SET_CLIENT_ID gearmand keeps, in bytes.
const maxClientID = 127

// clientID returns what `workers` shows for an id: cut at a NUL and at 127
// bytes.
func clientID(id []byte) []byte {
	id, _, _ = bytes.Cut(id, []byte{0})
	return slices.Clone(id[:min(len(id), maxClientID)])
}
