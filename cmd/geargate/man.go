package main

import (
	"fmt"
	"io"
	"strings"
)

// man prints the manual page, in the language of man(7).
func man(args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 {
		fmt.Fprintf(stderr, "geargate man: expected no arguments, got %q\n", args)
		return exitUsage
	}
	w := stdout
	fmt.Fprintf(w, ".TH GEARGATE 1\n.SH NAME\ngeargate \\- %s\n", roff(oneLine))
	fmt.Fprint(w, ".SH SYNOPSIS\n.B geargate\n.RI [ verb \"] [\" flags ]\n")
	fmt.Fprint(w, manDescription)
	fmt.Fprint(w, ".SH VERBS\n")
	for _, v := range verbs() {
		fmt.Fprintf(w, ".TP\n.BI %s \" %s\"\n%s.\n", roff(v.name), roff(v.arguments), roff(v.help))
		manFlags(w, v.flags)
	}
	fmt.Fprintf(w, ".SH FLAGS\nOf %s:\n", roff(enumerate(verbNames(func(v *verb) bool { return v.config }))))
	manFlags(w, configurationFlags)
	fmt.Fprintf(w, ".PP\n%s", roff(precedence))
	fmt.Fprint(w, ".SH ENVIRONMENT\n")
	for _, f := range configurationFlags {
		fmt.Fprintf(w, ".TP\n.B %s\nStands in for\n.BR \\-\\-%s .\n", f.variable, roff(f.name))
	}
	fmt.Fprint(w, manRest)
	return exitOK
}

func manFlags(w io.Writer, flags []verbFlag) {
	if len(flags) == 0 {
		return
	}
	fmt.Fprint(w, ".RS\n")
	for _, f := range flags {
		fmt.Fprintf(w, ".TP\n.BI \\-\\-%s \" %s\"\n%s.\n", roff(f.name), roff(f.argument), roff(f.help))
	}
	fmt.Fprint(w, ".RE\n")
}

// roff returns text as roff takes it literally, inside quotes too.
func roff(text string) string {
	return strings.NewReplacer(`\`, `\e`, "-", `\-`, `"`, `\(dq`, "'", `\(aq`, "\n.", "\n\\&.").Replace(text)
}

const manDescription = `.SH DESCRIPTION
Clients and workers connect to Geargate as if it were one gearmand. Behind it
stand several gearmand, or job servers that Geargate brings along, or both.
Jobs with the same function and unique go to the same job server. Workers that
can do the same functions share a few connections to each.
.PP
With none of the flags below and no file, one built\-in job server listens on
127.0.0.1:4730. Under the name
.B gearmand
the program takes gearmand's flags and configuration file.
`

const manRest = `.SH FILES
.TP
.I /etc/geargate/geargate.yaml
What the service of systemd reads. Without
.BR \-\-config ,
the program by itself reads no file.
.SH SIGNALS
.TP
.BR SIGTERM ", " SIGINT
Stop accepting, let foreground jobs finish for
.I timeouts.drain
at most, and end. A second one ends it at once.
.TP
.B SIGHUP
Put the configuration in force as it is now.
.SH EXIT STATUS
0 for success, 1 for failure, 2 for a command line that cannot be understood.
.SH SEE ALSO
.BR gearmand (8),
.BR gearadmin (1),
.BR gearman (1)
`
