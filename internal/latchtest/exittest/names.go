package exittest

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// Answer is what a name server says about a name.
type Answer struct {
	Addresses  []netip.Addr // of each question those of its type
	Aliases    []string     // CNAMEs on the way to them, in order
	NoSuchName bool         // NXDOMAIN
	ByTCP      bool         // over UDP the answer is cut off: it must be asked for again
}

// Names is a name server inside this process, over UDP and TCP, whose answers
// live for 0 seconds. No question leaves the machine.
type Names struct {
	answer func(name string, times int) Answer
	server map[string]string // address, by network
	mu     sync.Mutex
	asked  map[string]int // questions, by name and type
	total  int
}

// NewNames starts a name server. The function gets the name in lower case
// without its last dot, and how often it was asked for before with the same
// type.
func NewNames(t testing.TB, answer func(name string, times int) Answer) *Names {
	t.Helper()
	n := &Names{answer: answer, asked: map[string]int{}}
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	streams, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n.server = map[string]string{"udp": packets.LocalAddr().String(), "tcp": streams.Addr().String()}
	t.Cleanup(func() {
		_ = packets.Close()
		_ = streams.Close()
	})
	go n.servePackets(packets)
	go n.serveStreams(streams)
	return n
}

// Resolver returns a resolver that asks this server alone.
func (n *Names) Resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, n.server[network[:3]])
	}}
}

// Questions returns how many were asked, and the names that were.
func (n *Names) Questions() (total int, names []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for question := range n.asked {
		name, _, _ := strings.Cut(question, " ")
		names = append(names, name)
	}
	slices.Sort(names)
	return n.total, slices.Compact(names)
}

func (n *Names) servePackets(server net.PacketConn) {
	buffer := make([]byte, 4096)
	for {
		size, client, err := server.ReadFrom(buffer)
		if err != nil {
			return
		}
		if reply := n.reply(buffer[:size], false); reply != nil {
			_, _ = server.WriteTo(reply, client)
		}
	}
}

func (n *Names) serveStreams(server net.Listener) {
	for {
		conn, err := server.Accept()
		if err != nil {
			return
		}
		go func() {
			defer func() { _ = conn.Close() }()
			for {
				var size [2]byte
				if _, err := io.ReadFull(conn, size[:]); err != nil {
					return
				}
				question := read(conn, int(binary.BigEndian.Uint16(size[:])))
				reply := n.reply(question, true)
				if reply == nil {
					return
				}
				if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...)); err != nil {
					return
				}
			}
		}()
	}
}

// reply packs the answer to a question.
func (n *Names) reply(question []byte, stream bool) []byte {
	var message dnsmessage.Message
	if message.Unpack(question) != nil || len(message.Questions) != 1 {
		return nil
	}
	asked := message.Questions[0]
	answer := n.take(asked, stream)
	message.Response, message.RecursionAvailable, message.Additionals = true, true, nil
	switch {
	case answer.NoSuchName:
		message.RCode = dnsmessage.RCodeNameError
	case answer.ByTCP && !stream:
		message.Truncated = true
	default:
		message.Answers = records(asked, answer)
	}
	reply, err := message.Pack()
	if err != nil {
		return nil
	}
	return reply
}

// take counts a question and asks the test for the answer.
func (n *Names) take(asked dnsmessage.Question, stream bool) Answer {
	name := strings.ToLower(strings.TrimSuffix(asked.Name.String(), "."))
	n.mu.Lock()
	defer n.mu.Unlock()
	times := n.asked[name+" "+asked.Type.String()]
	if stream && times > 0 {
		times-- // the same question again
	} else {
		n.asked[name+" "+asked.Type.String()]++
	}
	n.total++
	return n.answer(name, times)
}

func records(asked dnsmessage.Question, answer Answer) []dnsmessage.Resource {
	var list []dnsmessage.Resource
	owner := asked.Name
	for _, alias := range answer.Aliases {
		target := dnsmessage.MustNewName(alias + ".")
		list = append(list, dnsmessage.Resource{
			Header: dnsmessage.ResourceHeader{Name: owner, Class: dnsmessage.ClassINET}, Body: &dnsmessage.CNAMEResource{CNAME: target},
		})
		owner = target
	}
	for _, address := range answer.Addresses {
		record := dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: owner, Class: dnsmessage.ClassINET}}
		switch {
		case address.Is4() && asked.Type == dnsmessage.TypeA:
			record.Body = &dnsmessage.AResource{A: address.As4()}
		case address.Is6() && asked.Type == dnsmessage.TypeAAAA:
			record.Body = &dnsmessage.AAAAResource{AAAA: address.As16()}
		default:
			continue
		}
		list = append(list, record)
	}
	return list
}
