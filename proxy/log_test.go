package proxy

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

func TestLogFormats(t *testing.T) {
	for _, c := range []struct{ format, want string }{
		{"text", `^time=\S+ level=WARN event=backend_ejected backend=a\n$`},
		{"json", `^\{"time":"[^"]+","level":"WARN","event":"backend_ejected","backend":"a"\}\n$`},
		{"auto", `^\{.*\}\n$`}, // no terminal
	} {
		var out bytes.Buffer
		log := NewLog(&out, c.format, slog.LevelWarn)
		log.Info("hidden")
		log.Warn("backend_ejected", "backend", "a")
		if !regexp.MustCompile(c.want).Match(out.Bytes()) {
			t.Errorf("%s: got %s", c.format, out.Bytes())
		}
	}
}

func TestTerminals(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	device, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer device.Close()
	if isTerminal(file) || !isTerminal(device) {
		t.Errorf("file is a terminal: %v, terminal is a terminal: %v", isTerminal(file), isTerminal(device))
	}
}
