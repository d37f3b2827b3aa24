package bench

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

// write makes the files that were asked for.
func (o *options) write(r *Report) error {
	return errors.Join(writeFile(o.json, r.JSON), writeFile(o.html, r.HTML))
}

// writeFile creates file and lets write fill it; no name is no file.
func writeFile(file string, write func(io.Writer) error) error {
	if file == "" {
		return nil
	}
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	return errors.Join(write(out), out.Close())
}

// reportVerb makes tables and plots of results kept as JSON.
func reportVerb(args []string, stdout, stderr io.Writer) error {
	set := flag.NewFlagSet("geargate bench report", flag.ContinueOnError)
	set.SetOutput(stderr)
	markdown := set.String("markdown", "", "write Markdown to this `file`, plots to a directory beside it")
	micro := set.String("micro", "", "add what go test -bench -benchmem has written to this `file`")
	page := set.String("html", "", "write one page with all tables and plots to this `file`")
	if err := set.Parse(args); err != nil {
		if err == flag.ErrHelp {
			return err
		}
		return errUsage
	}
	if set.NArg() == 0 {
		fmt.Fprintln(stderr, "geargate bench report: expected files written by --json")
		return errUsage
	}
	report, err := ReadReports(set.Args())
	if err != nil {
		return err
	}
	if *micro != "" {
		if report.Micro, err = readMicroFile(*micro); err != nil {
			return err
		}
	}
	for _, c := range report.Comparisons {
		c.Text(stdout)
	}
	report.Targets(stdout)
	if *markdown != "" {
		if err := report.Markdown(*markdown); err != nil {
			return err
		}
	}
	return writeFile(*page, report.HTML)
}

func readMicroFile(name string) ([]Micro, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	all, err := ReadMicro(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return all, nil
}
