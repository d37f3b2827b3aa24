package top

import (
	"fmt"
	"strings"
)

// header returns what is said of the whole.
func (r *reading) header() [3]string {
	queued, running := r.jobs()
	first := []string{"geargate up " + since(r.At, r.Started).text, fmt.Sprint("process ", r.PID),
		fmt.Sprint("configuration ", r.Configuration), Escape(r.Version)}
	second := []string{fmt.Sprint("connections ", r.Sessions), fmt.Sprint("workers ", r.Workers.Total, ", ", r.Workers.Running, " running"),
		fmt.Sprint("clients ", r.Clients.Total, ", ", r.Clients.Waiting, " waiting")}
	third := []string{"jobs/s " + perSecond(r.all.in, r.known).text + " in, " + perSecond(r.all.done, r.known).text + " done",
		fmt.Sprint("queued ", queued), fmt.Sprint("running ", running), fmt.Sprint("foreground ", r.ForegroundJobs)}
	if r.Spool != nil {
		third = append(third, fmt.Sprint("spool ", r.Spool.Jobs))
	}
	if r.StoreTrouble != "" {
		third = append(third, "background jobs are refused: "+Escape(r.StoreTrouble))
	}
	return [3]string{strings.Join(first, "  "), strings.Join(second, "  "), strings.Join(third, "  ")}
}
