package main

import (
	"fmt"
	"io"
	"strings"
)

const (
	oneLine = "one Gearman address in front of many job servers"

	precedence = `A flag wins over the variable beside it, that over the file, and the file over
the defaults. A variable holds several values with spaces between them. Without
any of them, one built-in job server listens on 127.0.0.1:4730.
`
)

// printUsage writes every verb and every flag.
func printUsage(w io.Writer) {
	fmt.Fprintf(w, "Geargate is %s.\n\n", oneLine)
	for _, v := range verbs() {
		fmt.Fprintf(w, "  geargate %-32s %s\n", strings.TrimSpace(v.name+" "+v.arguments), v.help)
	}
	fmt.Fprintf(w, "\nFlags of %s:\n", enumerate(verbNames(func(v *verb) bool { return v.config })))
	for _, f := range configurationFlags {
		fmt.Fprintf(w, "  %-33s %-28s %s\n", f.usage(), f.help, f.variable)
	}
	fmt.Fprintln(w, "Flags of single verbs:")
	for _, v := range verbs() {
		for _, f := range v.flags {
			fmt.Fprintf(w, "  %-33s %s\n", v.name+" "+f.usage(), f.help)
		}
	}
	fmt.Fprint(w, "\n", precedence)
}

// usage returns the flag with its argument.
func (f *verbFlag) usage() string {
	return strings.TrimSpace("--" + f.name + " " + f.argument)
}

// enumerate joins names as a sentence does.
func enumerate(names []string) string {
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}
