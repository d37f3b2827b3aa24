package bench

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// generated is the line below which a page is the bench's.
const generated = "<!-- Everything below this line is written by geargate bench. -->"

// reading says how the tables are to be read.
const reading = "Figures are medians of the rounds, with the least and the greatest in brackets; " +
	"setups take turns within a round, ratios are taken round by round, and the load runs on the same machine. " +
	"Reads and writes count read and write calls per job; the kernel does not count recv and send there, " +
	"which gearmand and HAProxy use.\n"

// Markdown writes r to file, and its plots as SVG files to a directory beside
// it that has the file's name without the ending. What stands in the file
// above the line called generated is kept.
func (r *Report) Markdown(file string) error {
	directory := strings.TrimSuffix(file, filepath.Ext(file))
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return err
	}
	var b strings.Builder
	if err := keepPreface(&b, file, "# Benchmarks\n\n"); err != nil {
		return err
	}
	fmt.Fprintf(&b, "%s\n\n%s %s", generated, r.machine(), reading)
	if t := r.targets(); len(t.Rows) > 0 {
		b.WriteString("\n## Targets\n\n")
		t.markdown(&b)
	}
	for _, c := range r.Comparisons {
		if err := c.markdown(&b, directory); err != nil {
			return err
		}
	}
	if len(r.Micro) > 0 {
		b.WriteString("\n## Micro-benchmarks\n\n`make microbench`\n\n")
		t := microTable(r.Micro)
		t.markdown(&b)
	}
	return os.WriteFile(file, []byte(b.String()), 0o644)
}

// keepPreface copies what a page begins with, or begins a new one with title.
func keepPreface(b *strings.Builder, file, title string) error {
	old, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		b.WriteString(title)
		return nil
	}
	if err != nil {
		return err
	}
	preface, _, found := strings.Cut(string(old), generated)
	if !found {
		return fmt.Errorf("%s: expected the line %q, below which the page may be written anew", file, generated)
	}
	b.WriteString(preface)
	return nil
}

// writePage writes a page anew below its preface, beginning with where its
// figures were made.
func writePage(file, title, where string, body func(io.Writer)) error {
	var b strings.Builder
	if err := keepPreface(&b, file, title); err != nil {
		return err
	}
	fmt.Fprintf(&b, "%s\n\n%s\n", generated, where)
	body(&b)
	return os.WriteFile(file, []byte(b.String()), 0o644)
}

// markdown writes a section, and its plots to directory.
func (c *Comparison) markdown(b *strings.Builder, directory string) error {
	fmt.Fprintf(b, "\n## %s\n\n%s\n\n`geargate bench compare %s`\n\n", c.Scenario.Name, strings.TrimSpace(c.Scenario.About), c.Scenario.Name)
	for _, t := range c.tables() {
		t.markdown(b)
	}
	for i, p := range c.plots() {
		name := fmt.Sprintf("%s-%d.svg", c.Scenario.Name, i+1)
		if err := os.WriteFile(filepath.Join(directory, name), []byte(p.svg()), 0o644); err != nil {
			return err
		}
		fmt.Fprintf(b, "![%s](%s/%s)\n", p.title, filepath.Base(directory), name)
	}
	return nil
}
