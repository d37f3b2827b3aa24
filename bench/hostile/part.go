package hostile

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Verb is the verb of geargate bench that plays a part in a process of its own.
const Verb = "hostile-part"

// The parts, and how nice each is to the others.
const (
	partProbe   = "probe"
	partControl = "control"
	partAttack  = "attack"

	probeNice   = -5
	attackNice  = 10
	partTimeout = 60 * time.Second // for what is not bounded otherwise
)

// Part plays a part, as the first of args says. It ends with in.
func Part(args []string, in io.Reader, out io.Writer) error {
	switch {
	case len(args) == 3 && args[0] == partProbe:
		return probe(args[1], args[2], in, out)
	case len(args) == 1 && args[0] == partControl:
		return control(in, out)
	case len(args) == 4 && args[0] == partAttack:
		return attack(args[1], args[2], args[3], in, out)
	}
	return fmt.Errorf("expected a part and what it needs, got %q", args)
}

// MayBeFirst says whether the probes can have a higher priority than others.
func MayBeFirst() bool {
	said, err := exec.Command("nice", "-n", strconv.Itoa(probeNice), "nice").Output()
	return err == nil && strings.TrimSpace(string(said)) == strconv.Itoa(probeNice)
}

// A part is a process that plays one.
type part struct {
	name    string
	command *exec.Cmd
	in      io.WriteCloser
	lines   chan string
	said    strings.Builder // on standard error; complete when lines is closed
}

// startPart starts a process that is so nice; without the right to be less nice
// than others it is as they are.
func startPart(program string, nice int, args ...string) (*part, error) {
	p := &part{name: args[0], lines: make(chan string, 1)}
	p.command = exec.Command("nice", append([]string{"-n", strconv.Itoa(nice), program, "bench", Verb}, args...)...)
	p.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	p.command.Stderr = &p.said
	in, err := p.command.StdinPipe()
	if err != nil {
		return nil, err
	}
	p.in = in
	out, err := p.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.command.Start(); err != nil {
		return nil, fmt.Errorf("starting the %s: %w", p.name, err)
	}
	go func() {
		for scanner := bufio.NewScanner(out); scanner.Scan(); {
			p.lines <- scanner.Text()
		}
		close(p.lines)
	}()
	return p, nil
}

// line returns the next line that p says.
func (p *part) line(ctx context.Context, timeout time.Duration) (string, error) {
	limit := time.NewTimer(timeout)
	defer limit.Stop()
	select {
	case line, open := <-p.lines:
		if !open {
			_ = p.command.Wait() // what it said tells more
			return "", fmt.Errorf("the %s ended; it said: %s", p.name, p.said.String())
		}
		return line, nil
	case <-limit.C:
		return "", fmt.Errorf("the %s says nothing for %v", p.name, timeout)
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// hear decodes the next line that p says.
func (p *part) hear(ctx context.Context, timeout time.Duration, what any) error {
	line, err := p.line(ctx, timeout)
	if err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(line), what); err != nil {
		return fmt.Errorf("the %s: %w", p.name, err)
	}
	return nil
}

// ask has p go on to what it says next.
func (p *part) ask(ctx context.Context, timeout time.Duration, what any) error {
	if _, err := io.WriteString(p.in, "go\n"); err != nil {
		return errors.Join(fmt.Errorf("the %s does not listen: %w", p.name, err), p.hear(ctx, timeout, what))
	}
	return p.hear(ctx, timeout, what)
}

// end ends the process.
func (p *part) end() {
	if p == nil {
		return
	}
	p.command.Process.Kill()
	for range p.lines {
	}
	p.command.Wait()
}
