package main

import (
	"fmt"
	"io"

	"github.com/geargate/geargate/proxy"
)

// gearmandTable is every flag accepted, in the order of the help.
var gearmandTable = []option{
	{"backlog", "b", "N", "ignored: the kernel's largest backlog is used", ignoredCount},
	{"check-args", "", "", "check flags and configuration file, then exit",
		setSwitch(func(o *gearmandOptions) *bool { return &o.checkArgs })},
	{"config-file", "", "FILE", "more flags (" + defaultConfigFile + ")",
		setString(func(o *gearmandOptions) *string { return &o.configFile })},
	{"coredump", "", "", "dump core when the process crashes",
		setSwitch(func(o *gearmandOptions) *bool { return &o.coredump })},
	{"data", "", "DIR", "keep background jobs there (in memory)",
		setString(func(o *gearmandOptions) *string { return &o.data })},
	{"daemon", "d", "", "go on in the background once listening",
		setSwitch(func(o *gearmandOptions) *bool { return &o.daemon })},
	{"exceptions", "", "", "send WORK_EXCEPTION to every client, asked or not",
		setSwitch(func(o *gearmandOptions) *bool { return &o.exceptions })},
	{"file-descriptors", "f", "N", "descriptors to allow (all there are)", setDescriptors},
	{"hashtable-buckets", "", "N", "ignored: tables grow as needed", ignoredCount},
	{"help", "h", "", "show this", setSwitch(func(o *gearmandOptions) *bool { return &o.help })},
	{"job-handle-prefix", "", "TEXT", "begins every handle (H:<host name>)", setPrefix},
	{"job-retries", "j", "N", "losses by workers before a job fails; 0 is no limit (0)",
		setCount(func(o *gearmandOptions) *int { return &o.retries })},
	{"keepalive", "", "", "ignored: keepalive is always on", ignored},
	{"keepalive-count", "", "N", "ignored", ignoredCount},
	{"keepalive-idle", "", "N", "ignored", ignoredCount},
	{"keepalive-interval", "", "N", "ignored", ignoredCount},
	{"listen", "L", "HOST", "address to listen on (every interface)",
		setString(func(o *gearmandOptions) *string { return &o.host })},
	{"log-file", "l", "FILE", "log, or stderr, or none (" + defaultLogFile + ")",
		setString(func(o *gearmandOptions) *string { return &o.logFile })},
	{"pid-file", "P", "FILE", "where to write the process id (" + defaultPIDFile + ")",
		setString(func(o *gearmandOptions) *string { return &o.pidFile })},
	{"port", "p", "PORT", "port to listen on (" + proxy.DefaultPort + ")",
		setString(func(o *gearmandOptions) *string { return &o.port })},
	{"protocol", "r", "NAME", "gear only", only("gear")},
	{"queue-type", "q", "NAME", "builtin only", only("builtin")},
	{"round-robin", "R", "", "ignored: functions of a worker always take turns", ignored},
	{"ssl", "", "", "speak TLS, 1.2 or 1.3, and nothing else",
		setSwitch(func(o *gearmandOptions) *bool { return &o.ssl })},
	{"ssl-ca-file", "", "FILE", "ignored: nobody is asked for a certificate", ignored},
	{"ssl-certificate", "", "FILE", "certificate of --ssl (" + defaultCertificate + ")",
		setString(func(o *gearmandOptions) *string { return &o.certificate })},
	{"ssl-key", "", "FILE", "its key (" + defaultKey + ")",
		setString(func(o *gearmandOptions) *string { return &o.key })},
	{"syslog", "", "", "log to syslog as well",
		setSwitch(func(o *gearmandOptions) *bool { return &o.syslog })},
	{"threads", "t", "N", "event loops; 0 is one for two processors (0)",
		setCount(func(o *gearmandOptions) *int { return &o.threads })},
	{"user", "u", "NAME", "switch to this user once listening",
		setString(func(o *gearmandOptions) *string { return &o.user })},
	{"verbose", "", "LEVEL", "FATAL, ALERT, CRITICAL, ERROR, WARNING, NOTICE, INFO or DEBUG (ERROR)", setLevel},
	{"version", "V", "", "show the version", setSwitch(func(o *gearmandOptions) *bool { return &o.version })},
	{"worker-wakeup", "w", "N", "ignored: a job wakes one worker", ignoredCount},
}

// printGearmandHelp writes every flag with what it does here.
func printGearmandHelp(w io.Writer) {
	fmt.Fprintln(w, "Allowed options:")
	for i := range gearmandTable {
		o := &gearmandTable[i]
		names := "--" + o.long
		if o.short != "" {
			names = "-" + o.short + " [ --" + o.long + " ]"
		}
		if o.takesValue() {
			names += " " + o.argument
		}
		fmt.Fprintf(w, "  %-34s %s\n", names, o.help)
	}
}
