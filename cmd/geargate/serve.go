package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/activation"

	"github.com/geargate/geargate/proxy"
)

// serve accepts clients and workers until it is told to stop.
func serve(args []string, stdout, stderr io.Writer) int {
	flags := newConfigFlags("serve")
	if code, goOn := flags.parse(args, 0, stdout, stderr); !goOn {
		return code
	}
	config, err := flags.load()
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitFailure
	}
	processors := newProcessors(0)
	processors.fit(config.Secure())
	fitCollector()
	var level slog.LevelVar
	level.Set(config.Log.Level)
	log := proxy.NewLog(stderr, config.Log.Format, &level)
	accepting := make(chan struct{})
	p, err := proxy.New(config, proxy.Options{
		Inherited: activation.Files(true),
		Accepting: func() { close(accepting) },
		Config:    flags.load,
		Reloaded: func(next *proxy.Config) {
			inForce := *next
			inForce.Listen = config.Listen // which takes a restart
			processors.fit(inForce.Secure())
		},
		Level: &level,
	}, log)
	if err == nil {
		err = p.Listen()
	}
	if err == nil {
		err = untilSignalled(p, accepting, config.Timeouts.ShutdownDelay+config.Timeouts.Drain, log)
	}
	if err != nil {
		log.Error("failed", "error", err)
		return exitFailure
	}
	return exitOK
}

// untilSignalled serves until SIGTERM or SIGINT, then drains, for as long as
// limit. A second one of them ends it at once, with an error. SIGHUP reloads
// the configuration; the proxy logs what comes of it. SIGUSR2 says that a
// successor serves; SIGTERM may follow it.
func untilSignalled(p *proxy.Proxy, accepting <-chan struct{}, limit time.Duration, log *slog.Logger) error {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt, syscall.SIGHUP, syscall.SIGUSR2)
	watched, unwatch := context.WithCancel(context.Background())
	defer unwatch()
	ctx, drain := context.WithCancel(watched)
	defer drain()
	service := manager{log}
	served := make(chan error, 1)
	go func() { served <- p.Serve(ctx) }()
	for draining := false; ; {
		select {
		case <-accepting:
			accepting = nil
			service.ready()
			go service.watch(watched, p.Pulse)
		case err := <-served:
			return err
		case s := <-signals:
			if s == syscall.SIGHUP {
				service.reloading()
				_, _ = p.Reload()
				service.ready()
				continue
			}
			if s == syscall.SIGUSR2 {
				log.Info("signal", "signal", s.String())
				service.stopping(limit)
				p.LameDuck()
				continue
			}
			if draining {
				return fmt.Errorf("stopped at once by a second signal, %v", s)
			}
			draining = true
			log.Info("signal", "signal", s.String())
			service.stopping(limit)
			drain()
		}
	}
}
