package listen

import (
	"fmt"
	"io"
	"net"
	"testing"
	"time"
)

// What TLS costs: a client that waits for each echo, and the bytes of large
// ones. The client's own part of TLS is in it.
func BenchmarkEcho(b *testing.B) {
	for _, size := range []int{100, 1 << 20} {
		for _, kind := range []string{"plain", "tls"} {
			b.Run(fmt.Sprintf("%s/%d", kind, size), func(b *testing.B) {
				e, err := Start(1, &script{data: func(c *Conn, p []byte) { _ = c.Write(p) }})
				if err != nil {
					b.Fatal(err)
				}
				defer e.Stop()
				accepted, dialled := pair(b)
				var server, client net.Conn = accepted, dialled
				if kind == "tls" {
					server, client = secured(b, accepted, dialled)
				}
				dialled.SetDeadline(time.Time{})
				if err := e.Adopt(0, server, nil); err != nil {
					b.Fatal(err)
				}
				sent, got := make([]byte, size), make([]byte, size)
				b.SetBytes(int64(size))
				for b.Loop() {
					go client.Write(sent)
					if _, err := io.ReadFull(client, got); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
