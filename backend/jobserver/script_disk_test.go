package jobserver

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/geargate/geargate/protocol"
)

// diskWords shows an action for the disk:
//
//	store 1 #1 NORMAL f u data [reducer=r] [attempts=2] [in=10s]
//	forget #1
//	attempts #1 2
//	reserve 131073
//	load 1 #1 c2
func diskWords(a *Action, conn string) []string {
	handle := fmt.Sprintf("H:t:%010d", a.Number)
	switch a.Kind {
	case Store:
		return append([]string{"store", fmt.Sprint(a.Ticket)}, keptWords(a.Kept)...)
	case Forget:
		return []string{"forget", handle}
	case Attempts:
		return []string{"attempts", handle, fmt.Sprint(a.Attempts)}
	case Reserve:
		return []string{"reserve", fmt.Sprint(a.Number)}
	case Load:
		return []string{"load", fmt.Sprint(a.Ticket), handle, conn}
	}
	return []string{fmt.Sprintf("unknown action %d", a.Kind)}
}

var priorityNames = []string{"HIGH", "NORMAL", "LOW"}

func keptWords(k *Kept) []string {
	words := []string{fmt.Sprintf("H:t:%010d", k.Number), priorityNames[k.Priority],
		string(k.Function), string(k.Unique), string(k.Workload)}
	if len(k.Reducer) > 0 {
		words = append(words, "reducer="+string(k.Reducer))
	}
	if k.Attempts > 0 {
		words = append(words, fmt.Sprintf("attempts=%d", k.Attempts))
	}
	if k.Due > 0 {
		words = append(words, fmt.Sprintf("due=%d", k.Due))
	}
	return words
}

// disk is what the disk has to say:
//
//	stored 2, failed 2                  all writes up to ticket 2 are stored, or not
//	loaded 1 c2 data                    the workload that c2 waits for
//	unreadable 1 c2, gone 1 c2          there is none for now, or for ever
//	hangs 0, goes-on 0                  workloads cannot be read, or can again
func (p *play) disk(words []string) {
	p.t.Helper()
	ticket, err := strconv.ParseUint(words[1], 10, 32)
	if err != nil {
		p.fail("%v", err)
	}
	ev := Event{Ticket: uint32(ticket)}
	switch words[0] {
	case "stored":
		ev.Kind = Stored
	case "failed":
		ev.Kind = StoreFailed
	case "hangs":
		ev.Kind = LoadsHang
	case "goes-on":
		ev.Kind = LoadsGoOn
	case "loaded":
		ev.Kind, ev.Conn, ev.Workload = Loaded, p.conn(words[2]), []byte(words[3])
	case "unreadable":
		ev.Kind, ev.Conn = LoadFailed, p.conn(words[2])
	case "gone":
		ev.Kind, ev.Conn, ev.Gone = LoadFailed, p.conn(words[2]), true
	default:
		p.fail("the disk cannot say %q", words[0])
	}
	p.step(&ev)
	for i := range ev.Workload {
		ev.Workload[i] = 0 // it was borrowed
	}
}

// restore has a job come back, as diskWords shows it; in=10s is from now.
func (p *play) restore(words []string) {
	p.t.Helper()
	number, err := strconv.ParseUint(strings.TrimPrefix(words[0], "#"), 10, 32)
	if err != nil {
		p.fail("%v", err)
	}
	k := Kept{Number: uint32(number), Function: []byte(words[2]), Unique: []byte(words[3]), Workload: []byte(words[4])}
	for i, name := range priorityNames {
		if words[1] == name {
			k.Priority = protocol.Priority(i)
		}
	}
	for _, word := range words[5:] {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "reducer":
			k.Reducer = []byte(value)
		case "attempts":
			n, _ := strconv.Atoi(value)
			k.Attempts = uint32(n)
		case "in":
			k.Due = p.now.Add(p.duration(value)).UnixMilli()
		case "last":
			n, _ := strconv.Atoi(value)
			p.server.Resume(uint32(n), uint32(n))
		default:
			p.fail("a job has no %q", word)
		}
	}
	if !p.server.Restore(p.now, &k) {
		p.said = append(p.said, "not restored")
	}
	if err := check(p.server); err != nil {
		p.fail("%v", err)
	}
}

// held takes what was held apart.
func (p *play) held(name string, text []byte) {
	p.t.Helper()
	for len(text) > 0 {
		if text[0] != 0 {
			end := len(text)
			for i, b := range text {
				if b == 0 {
					end = i
					break
				}
			}
			p.said = append(p.said, name+"<< "+strconv.Quote(string(text[:end])))
			text = text[end:]
			continue
		}
		frame, err := protocol.Split(text, 1<<20)
		if frame == nil {
			p.fail("%s is sent half a packet, or %v", name, err)
		}
		var packet protocol.Packet
		if err := packet.Parse(frame); err != nil {
			p.fail("%v", err)
		}
		args := make([][]byte, packet.Args())
		for i := range args {
			args[i] = packet.Arg(i)
		}
		draft := protocol.Drafted(packet.Magic, packet.Type, args...)
		p.said = append(p.said, name+"< "+show(draftWords(&draft)))
		text = text[len(frame):]
	}
}
