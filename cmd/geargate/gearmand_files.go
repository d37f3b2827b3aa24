package main

import (
	"fmt"
	"io"
	"os"
	"sync"
)

// writePIDFile writes our process id to path and returns what removes the
// file again. The default file is not insisted on: gearmand lives without it.
func writePIDFile(path string) (remove func(), err error) {
	text := fmt.Sprintf("%d\n", os.Getpid())
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		if path == defaultPIDFile {
			return func() {}, nil
		}
		return nil, fmt.Errorf("--pid-file: %w", err)
	}
	return func() { os.Remove(path) }, nil
}

// A logFile is a log that can be opened anew after its file was moved away.
// Until Reopen is called, what is written goes to the writer it was made
// with. It is safe for concurrent use.
type logFile struct {
	path string

	mu   sync.Mutex
	to   io.Writer
	file *os.File // nil, or what to is
}

// newLogFile takes gearmand's words for a log: a path, "stderr" or "none".
func newLogFile(path string, stderr io.Writer) *logFile {
	return &logFile{path: path, to: stderr}
}

func (l *logFile) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.to.Write(p)
}

// Reopen opens the file at the path, to append to it. Where that fails,
// writing goes on as before.
func (l *logFile) Reopen() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch l.path {
	case "stderr":
		return nil
	case "none":
		l.to = io.Discard
		return nil
	}
	file, err := os.OpenFile(l.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return fmt.Errorf("--log-file: %w", err)
	}
	if l.file != nil {
		l.file.Close()
	}
	l.to, l.file = file, file
	return nil
}
