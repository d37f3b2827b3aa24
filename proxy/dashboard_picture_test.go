package proxy

import (
	"flag"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/geargate/geargate/protocol"
	"github.com/geargate/geargate/router"
)

// With -pictures, TestDashboardPictures is not a test but makes those of the
// README: see "make pictures".
var (
	pictures    = flag.String("pictures", "", "the directory in which TestDashboardPictures keeps what it makes; empty is none")
	picturesFor = flag.Duration("pictures-for", time.Second, "how long TestDashboardPictures lets the farm work before")
)

// maxPicture is how large a picture in a README may be, in bytes.
const maxPicture = 150_000

// A farm at work, one backend of it dead and one drained, is as it looks in the
// README, dark and light and on a telephone.
func TestDashboardPictures(t *testing.T) {
	dead := newLateServer(t)
	p := serve(t, nil, func(c *Config) {
		c.Backends = []Backend{
			{Name: "jobs-1", Address: jobServer(t), Weight: 1},
			{Name: "jobs-2", Address: jobServer(t), Weight: 1},
			{Name: "jobs-3", Address: jobServer(t), Weight: 1},
			{Name: "jobs-4", Address: dead.address, Weight: 1},
		}
		c.Admin.Listen = "127.0.0.1:0"
	})
	dead.linked(t, lanes)
	p.ready(t)
	dead.down()
	busy := func(function string, clients, workers int, pause, took time.Duration) {
		for range workers {
			nc := p.dial(t)
			nc.SetDeadline(time.Time{})
			send(t, nc, protocol.SetClientID, []byte(function+"-worker"))
			send(t, nc, protocol.CanDo, []byte(function))
			go workSlowly(nc, took)
		}
		for i := range clients {
			nc := p.dial(t)
			nc.SetDeadline(time.Time{})
			go submitOften(nc, function, pause+time.Duration(i)*pause/7)
		}
	}
	busy("resize_image", 6, 4, 60*time.Millisecond, 11*time.Millisecond)
	busy("send_mail", 4, 3, 90*time.Millisecond, 35*time.Millisecond)
	busy("render_report", 3, 2, 300*time.Millisecond, 700*time.Millisecond)
	for range 7 {
		background(t, p.dial(t), "transcode_video", "")
	}
	if !p.core.drained("jobs-3", router.Drain) {
		t.Fatal("no backend to drain")
	}
	ctx := browse(t, p, 1100, 820)
	time.Sleep(*picturesFor)
	reads(t, ctx, "#functions", "transcode_video", "render_report")
	for _, c := range []struct {
		name, scheme  string
		width, height int64
	}{
		{"dashboard-light.png", "light", 1100, 820},
		{"dashboard-dark.png", "dark", 1100, 820},
		{"dashboard-telephone.png", "dark", 390, 844},
	} {
		act(t, ctx, inScheme(c.scheme))
		act(t, ctx, chromedp.EmulateViewport(c.width, c.height))
		act(t, ctx, chromedp.Evaluate[bool](`scrollTo(0, 0) === undefined`))
		reads(t, ctx, "#connection", "Live")
		picture := act(t, ctx, chromedp.CaptureScreenshot())
		if len(picture) == 0 || len(picture) > maxPicture {
			t.Errorf("%s has %d bytes, expected at most %d", c.name, len(picture), maxPicture)
		}
		if *pictures != "" {
			if err := os.WriteFile(filepath.Join(*pictures, c.name), picture, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// workSlowly does jobs, each of which takes a while, until the connection ends.
func workSlowly(nc net.Conn, took time.Duration) {
	request := func(kind protocol.Type, args ...[]byte) {
		_, _ = nc.Write(protocol.AppendFrame(nil, protocol.Request, kind, args...)) // reading tells of the end
	}
	for request(protocol.GrabJob); ; {
		packet := readPacket(nc)
		switch {
		case packet == nil:
			return
		case packet.Type == protocol.NoJob:
			request(protocol.PreSleep)
			continue
		case packet.Type == protocol.JobAssign:
			handle := append([]byte(nil), packet.Arg(0)...)
			time.Sleep(took)
			request(protocol.WorkComplete, handle, nil)
		}
		request(protocol.GrabJob)
	}
}

// submitOften submits foreground jobs, one after the other, until the connection
// ends.
func submitOften(nc net.Conn, function string, pause time.Duration) {
	for {
		_, _ = nc.Write(protocol.AppendFrame(nil, protocol.Request, protocol.SubmitJob, []byte(function), nil, nil)) // as above
		for done := false; !done; {
			packet := readPacket(nc)
			if packet == nil {
				return
			}
			done = packet.Type == protocol.WorkComplete
		}
		time.Sleep(pause)
	}
}
