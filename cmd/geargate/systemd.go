package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// A manager is the service manager that has started this process, as
// sd_notify(3) describes it. Without one its methods do nothing.
type manager struct {
	log *slog.Logger
}

// tell sends states. A manager that cannot be reached is no reason to stop.
func (m manager) tell(states ...string) {
	if _, err := daemon.SdNotify(false, strings.Join(states, "\n")); err != nil {
		m.log.Warn("service_manager_not_told", "error", err)
	}
}

// ready says that connections are accepted.
func (m manager) ready() {
	m.tell(daemon.SdNotifyReady, "STATUS=Accepting clients and workers.")
}

// reloading says that ready will be said again when the configuration is
// another.
func (m manager) reloading() {
	m.tell(daemon.SdNotifyReloading, daemon.SdNotifyMonotonicUsec())
}

// stopping says that the end has begun, and how long it may take.
func (m manager) stopping(limit time.Duration) {
	m.tell(daemon.SdNotifyStopping, "STATUS=Letting foreground jobs finish.",
		fmt.Sprintf("EXTEND_TIMEOUT_USEC=%d", (limit+stopMargin).Microseconds()))
}

// stopMargin is what ending takes beside the wait for jobs, where a disk hangs.
const stopMargin = 30 * time.Second

// watch tells a manager that wants to hear it that we are alive, twice in
// each of its intervals, until ctx ends. Only a pulse that was felt is proof:
// a process whose core or event loops hang is told of no more.
func (m manager) watch(ctx context.Context, pulse func(context.Context) error) {
	interval, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		m.log.Error("watchdog_unknown", "error", err)
	}
	if interval <= 0 {
		return
	}
	next := time.NewTicker(interval / 2)
	defer next.Stop()
	for ctx.Err() == nil {
		limited, cancel := context.WithTimeout(ctx, interval)
		err := pulse(limited)
		cancel()
		if err == nil {
			m.tell(daemon.SdNotifyWatchdog)
		} else if ctx.Err() == nil {
			m.log.Error("no_pulse", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-next.C:
		}
	}
}
