package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/geargate/geargate/bench"
	"github.com/geargate/geargate/version"
)

// A verb is one thing that the program can be told to do. Help, manual page
// and completion are all made from the list of verbs; a test holds the flags
// that a verb parses against it.
type verb struct {
	name      string
	arguments string // what stands behind the name, for people
	help      string
	words     []string // what may stand behind the name, for completion
	config    bool     // takes the flags that choose a configuration
	flags     []verbFlag
	run       func(args []string, stdout, stderr io.Writer) int
}

// A verbFlag is a flag of a verb.
type verbFlag struct {
	name     string
	argument string // what it takes, for people; empty for a switch
	help     string
	variable string   // the environment variable that stands in for it, or empty
	key      string   // the key of the configuration that it sets, or empty
	words    []string // what it takes, for completion
	files    bool     // it takes the name of a file
}

// verbs lists every verb, in the order of the help. It is a function because
// the verbs themselves show the list.
func verbs() []verb {
	return []verb{
		{name: "serve", config: true, arguments: "[flags]",
			help: "accept clients and workers; without a verb too", run: serve},
		{name: "check", config: true, arguments: "[flags]",
			help: "say what is wrong in a configuration", run: check,
			flags: []verbFlag{
				{name: "against", argument: "FILE", help: "say what share of keys moves from there", files: true},
			}},
		{name: "route", config: true, arguments: "[flags] FUNCTION UNIQUE",
			help: "show which backends a job would go to", run: route,
			flags: []verbFlag{
				{name: "workload", argument: "TEXT", help: `the job's workload, for the unique "-"`},
			}},
		{name: "status", config: true, arguments: "[flags]",
			help: "show how a running geargate is", run: status,
			flags: []verbFlag{
				{name: "json", help: "as JSON"},
			}},
		{name: "top", config: true, arguments: "[flags]",
			help: "watch a running geargate in the terminal", run: showTop,
			flags: []verbFlag{
				{name: "interval", argument: "DURATION", help: "how often to ask it, 1s otherwise"},
				{name: "batch", help: "print plain text, again and again"},
				{name: "count", argument: "N", help: "print plain text so many times"},
			}},
		{name: "drain", config: true, arguments: "[flags] BACKEND",
			help: "keep new jobs away, wait until it is empty", run: drain,
			flags: []verbFlag{
				{name: "no-wait", help: "do not wait until it is empty"},
				{name: "timeout", argument: "DURATION", help: "give up waiting after that, with exit code 1"},
			}},
		{name: "undrain", config: true, arguments: "[flags] BACKEND",
			help: "let new jobs come again", run: undrain},
		{name: "reload", config: true, arguments: "[flags]",
			help: "put the changed configuration in force", run: reload},
		{name: "jobs", config: true, arguments: "[flags]",
			help: "list the jobs of the pool and the spool", run: jobs,
			flags: []verbFlag{
				{name: "function", argument: "NAME", help: "only those of that function"},
				{name: "state", argument: "STATE", help: "only those queued, running or scheduled",
					words: []string{"queued", "running", "scheduled"}},
				{name: "json", help: "as JSON, one object a line"},
			}},
		{name: "cancel", config: true, arguments: "[flags] HANDLE...",
			help: "cancel jobs, at whichever job server they are", run: cancel},
		{name: "purge", config: true, arguments: "[flags] FUNCTION",
			help: "cancel all jobs of a function that wait", run: purge,
			flags: []verbFlag{
				{name: "yes", help: "do not ask first"},
			}},
		{name: "export", config: true, arguments: "[flags]",
			help: "write the jobs of a pool that is down as JSON lines", run: export},
		{name: "gearmand", arguments: "[gearmand's flags]",
			help: "be a single job server, as gearmand is", run: gearmand, words: gearmandFlags()},
		{name: "bench", arguments: "VERB", words: []string{"run", "compare", "report", "list", "help"},
			help: "measure job servers; see geargate bench", run: bench.Main},
		{name: "completion", arguments: strings.Join(shells, "|"), words: shells,
			help: "print completion for a shell", run: completion},
		{name: "man", help: "print the manual page", run: man},
		{name: "version", help: "show the version", run: func(_ []string, stdout, _ io.Writer) int {
			fmt.Fprintln(stdout, "geargate", version.String())
			return exitOK
		}},
		{name: "help", help: "show this", run: func(_ []string, stdout, _ io.Writer) int {
			printUsage(stdout)
			return exitOK
		}},
	}
}

// configurationFlags are the flags that choose a configuration.
var configurationFlags = []verbFlag{
	{name: "config", argument: "FILE", help: "configuration file", variable: "GEARGATE_CONFIG", files: true},
	{name: "listen", argument: "ADDRESS", help: "where to listen, repeatable",
		variable: "GEARGATE_LISTEN", key: "listen"},
	{name: "backend", argument: "NAME=ADDRESS[,weight=N]", help: "a job server, repeatable",
		variable: "GEARGATE_BACKEND", key: "backends"},
	{name: "pool", argument: "N", help: "built-in job servers",
		variable: "GEARGATE_POOL", key: "pool.servers"},
	{name: "data", argument: "DIR", help: "keep background jobs of the pool there",
		variable: "GEARGATE_DATA", key: "pool.store", files: true},
	{name: "log-level", argument: "LEVEL", help: "debug, info, warn or error",
		variable: "GEARGATE_LOG_LEVEL", key: "log.level", words: []string{"debug", "info", "warn", "error"}},
	{name: "admin", argument: "PATH", help: "the admin socket",
		variable: "GEARGATE_ADMIN", key: "admin.socket", files: true},
}

// allFlags returns the flags of v, those of the configuration first.
func (v *verb) allFlags() []verbFlag {
	if !v.config {
		return v.flags
	}
	return append(configurationFlags[:len(configurationFlags):len(configurationFlags)], v.flags...)
}

// findVerb returns the verb of that name, or nil.
func findVerb(name string) *verb {
	for _, v := range verbs() {
		if v.name == name {
			return &v
		}
	}
	return nil
}

// verbNames returns the names of the verbs for which ok is true.
func verbNames(ok func(*verb) bool) []string {
	var names []string
	for _, v := range verbs() {
		if ok(&v) {
			names = append(names, v.name)
		}
	}
	return names
}

func everyVerb(*verb) bool { return true }

// gearmandFlags lists gearmand's flags for completion.
func gearmandFlags() []string {
	var words []string
	for i := range gearmandTable {
		words = append(words, "--"+gearmandTable[i].long)
	}
	return words
}
