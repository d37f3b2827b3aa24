package listen

import "os"

// A reserve is one descriptor held back for adopting a connection. gnet
// copies the descriptor it is given and closes the original: without a free
// one, connections that were accepted with the last would be lost, one after
// the other, and accepting would never fail and slow down.
type reserve struct {
	file *os.File
}

// hold takes a descriptor, unless it has one. An error is about running out,
// or about a system without a null device.
func (r *reserve) hold() error {
	if r.file != nil {
		return nil
	}
	file, err := os.Open(os.DevNull)
	if err == nil {
		r.file = file
	}
	return err
}

// release frees the descriptor for whoever needs one now.
func (r *reserve) release() {
	if r.file != nil {
		r.file.Close()
		r.file = nil
	}
}
