package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

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
	log := proxy.NewLog(stderr, config.Log)
	p, err := proxy.New(config, proxy.Options{}, log)
	if err == nil {
		err = p.Listen()
	}
	if err == nil {
		err = untilSignalled(p, log)
	}
	if err != nil {
		log.Error("failed", "error", err)
		return exitFailure
	}
	return exitOK
}

// untilSignalled serves until SIGTERM or SIGINT, then drains. A second signal
// ends it at once, with an error.
func untilSignalled(p *proxy.Proxy, log *slog.Logger) error {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	ctx, drain := context.WithCancel(context.Background())
	defer drain()
	served := make(chan error, 1)
	go func() { served <- p.Serve(ctx) }()
	for draining := false; ; draining = true {
		select {
		case err := <-served:
			return err
		case s := <-signals:
			if draining {
				return fmt.Errorf("stopped at once by a second signal, %v", s)
			}
			log.Info("signal", "signal", s.String())
			drain()
		}
	}
}
