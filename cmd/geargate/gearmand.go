package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"log/syslog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/geargate/geargate/proxy"
	"github.com/geargate/geargate/version"
)

// gearmand behaves as the job server gearmand does with the same flags. Its
// exit codes are gearmand's: 0, or 1 for any failure.
func gearmand(args []string, stdout, stderr io.Writer) int {
	o, err := readGearmandOptions(args, os.LookupEnv)
	switch {
	case err != nil:
		fmt.Fprintln(stderr, "gearmand:", err)
		return exitFailure
	case o.checkArgs:
		return exitOK
	case o.help:
		printGearmandHelp(stdout)
		return exitOK
	case o.version:
		config := proxy.DefaultConfig()
		fmt.Fprintf(stdout, "\ngearmand %s - geargate %s\n", config.Router(1).Version, version.String())
		return exitOK
	case o.daemon && !isDaemon():
		err = startDaemon()
	default:
		err = runGearmand(o, stderr)
	}
	if err != nil {
		fmt.Fprintln(stderr, "gearmand:", err)
		return exitFailure
	}
	return exitOK
}

// runGearmand listens, gives up privileges, and only then writes files, so
// that they belong to the user who must remove and reopen them.
func runGearmand(o *gearmandOptions, stderr io.Writer) error {
	if err := setLimits(o); err != nil {
		return err
	}
	config, err := o.config()
	if err != nil {
		return err
	}
	file := newLogFile(o.logFile, stderr)
	log, err := o.logger(config, file)
	if err != nil {
		return err
	}
	newProcessors(o.threads).fit(false)
	fitCollector()
	p, err := proxy.New(config, proxy.Options{Lanes: o.threads}, log)
	if err != nil {
		return err
	}
	if err := p.Listen(); err != nil {
		return err
	}
	if err := becomeUser(o.user); err != nil {
		return err
	}
	// Whoever finds the process id in the file may send signals.
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt, syscall.SIGUSR1, syscall.SIGHUP)
	remove, err := writePIDFile(o.pidFile)
	if err != nil {
		return err
	}
	defer remove()
	if err := file.Reopen(); err != nil {
		fmt.Fprintf(stderr, "gearmand: %v; logging to stderr\n", err)
	}
	if err := daemonReady(); err != nil {
		return err
	}
	return untilStopped(p, signals, file, log)
}

// untilStopped serves until SIGTERM or SIGINT, which end it at once, or until
// SIGUSR1 and the end of the jobs in flight. SIGHUP reopens the log.
func untilStopped(p *proxy.Proxy, signals <-chan os.Signal, file *logFile, log *slog.Logger) error {
	ctx, drain := context.WithCancel(context.Background())
	defer drain()
	served := make(chan error, 1)
	go func() { served <- p.Serve(ctx) }()
	for {
		select {
		case err := <-served:
			return err
		case s := <-signals:
			log.Info("signal", "signal", s.String())
			switch s {
			case syscall.SIGUSR1:
				drain()
			case syscall.SIGHUP:
				if err := file.Reopen(); err != nil {
					log.Error("log_not_reopened", "error", err)
				}
			default:
				return nil
			}
		}
	}
}

// config returns the configuration of one built-in job server that does what
// o says.
func (o *gearmandOptions) config() (proxy.Config, error) {
	addresses, err := listenAddresses(o.host, o.port)
	if err != nil {
		return proxy.Config{}, err
	}
	settings := []proxy.Setting{
		{From: "--job-retries", Key: "limits.job_retries", Value: fmt.Sprint(o.retries)},
		{From: "--exceptions", Key: "clients.exceptions", Value: fmt.Sprint(o.exceptions)},
	}
	if o.data != "" {
		settings = append(settings, proxy.Setting{From: "--data", Key: "pool.store", Value: o.data})
	}
	for _, address := range addresses {
		settings = append(settings, proxy.Setting{From: "--listen", Key: "listen", Value: address})
	}
	config, err := proxy.Load("", os.LookupEnv, settings)
	config.Log = proxy.Log{Level: o.level, Format: "text"}
	config.Gearmand = proxy.Gearmand{PlainHandles: true, HandlePrefix: o.prefix}
	config.Timeouts.Drain = forEver
	config.Admin = proxy.Admin{}
	if o.ssl {
		for i := range config.Listen {
			config.Listen[i].TLS = proxy.ListenTLS{Cert: o.certificate, Key: o.key, MinVersion: "1.2"}
		}
	}
	return config, err
}

// forEver is longer than any job: gearmand waits for its jobs without limit.
const forEver = 10 * 365 * 24 * time.Hour

// logger returns a logger to file, and to syslog as well where o asks for it.
func (o *gearmandOptions) logger(config proxy.Config, file io.Writer) (*slog.Logger, error) {
	if !o.syslog {
		return proxy.NewLog(file, config.Log.Format, config.Log.Level), nil
	}
	system, err := syslog.New(syslog.LOG_DAEMON|syslog.LOG_NOTICE, "gearmand")
	if err != nil {
		return nil, fmt.Errorf("--syslog: %w", err)
	}
	return proxy.NewLog(io.MultiWriter(file, system), config.Log.Format, config.Log.Level), nil
}
