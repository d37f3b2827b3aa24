package farm

import (
	"bytes"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// A Machine describes where figures were made.
type Machine struct {
	CPU      string `json:"cpu"`
	Cores    int    `json:"cores"`
	Memory   int64  `json:"memory"` // bytes
	Kernel   string `json:"kernel"`
	Go       string `json:"go"`
	Gearmand string `json:"gearmand"` // its version, empty where not installed
	HAProxy  string `json:"haproxy"`  // its version, empty where not installed
}

// ThisMachine describes the machine it runs on.
func ThisMachine() Machine {
	m := Machine{Cores: runtime.NumCPU(), Go: runtime.Version(), CPU: processor()}
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) == nil {
		m.Memory = int64(info.Totalram) * int64(info.Unit)
	}
	var name unix.Utsname
	if unix.Uname(&name) == nil {
		m.Kernel = unix.ByteSliceToString(name.Sysname[:]) + " " + unix.ByteSliceToString(name.Release[:])
	}
	m.Gearmand = version(1, "gearmand", "--version")
	m.HAProxy = version(2, "haproxy", "-v")
	return m
}

// processor returns the first processor's name.
func processor() string {
	data, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	for line := range bytes.Lines(data) {
		if name, ok := bytes.CutPrefix(line, []byte("model name")); ok {
			return strings.Trim(string(name), " \t:\n")
		}
	}
	return runtime.GOARCH
}

// version returns the word at index of what a program says about itself, or
// nothing where it is not installed.
func version(index int, program, flag string) string {
	said, err := exec.Command(program, flag).Output()
	words := strings.Fields(string(said))
	if err != nil || index >= len(words) {
		return ""
	}
	return words[index]
}
