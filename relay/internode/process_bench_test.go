// SPDX-License-Identifier: Apache-2.0

package internode

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
)

// child is the other process of BenchmarkProcesses: node b, and a plain echo. It ends with its
// standard input.
func child() {
	var t *Transport
	var took []int64
	back := func(m *relay.Message, topic string, p payload.Payload) {
		if err := t.Send(relay.NewMessage(m.To, m.From, topic, p)); err != nil {
			panic(err)
		}
	}
	ready := make(chan struct{})
	deliver := func(m *relay.Message) {
		<-ready
		switch m.Topic {
		case "echo":
			back(m, "echo", m.Payload())
		case "stamped":
			took = append(took, time.Now().UnixNano()-int64(binary.BigEndian.Uint64(m.Payload().Data.([]byte))))
		case "last":
			p99 := int64(0)
			if len(took) > 0 {
				slices.Sort(took)
				p99 = took[len(took)*99/100]
				took = took[:0]
			}
			back(m, "done", payload.Payload{Format: payload.String, Data: strconv.FormatInt(p99, 10)})
		}
		m.Release()
	}
	t, err := Listen(benchConfig("b", map[string]string{"a": ""}, deliver, nil))
	if err != nil {
		panic(err)
	}
	close(ready)
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go func() {
		for {
			conn, err := plain.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(conn, struct{ io.Reader }{conn}) }()
		}
	}()
	fmt.Println(t.Addr(), plain.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func benchConfig(node string, peers map[string]string, deliver func(*relay.Message), up func(string, uint64)) Config {
	return Config{
		Node: node, Listen: "127.0.0.1:0", Peers: peers, Secret: []byte("0123456789abcdef"),
		Deliver: deliver, Up: up, Log: slog.New(slog.DiscardHandler),
	}
}

// BenchmarkProcesses measures messages of 100 bytes between two processes, beside a plain
// connection that echoes as many bytes.
func BenchmarkProcesses(b *testing.B) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"=1")
	cmd.Stderr = os.Stderr
	in, _ := cmd.StdinPipe() // fails only when Stdin is set
	out, _ := cmd.StdoutPipe()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	addresses := strings.Fields(line)
	got, up := make(chan string, 1), make(chan struct{})
	a, err := Listen(benchConfig("a", map[string]string{"b": addresses[0]}, func(m *relay.Message) {
		text, _ := m.Payload().Data.(string)
		m.Release()
		got <- text
	}, func(string, uint64) { close(up) }))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(a.Stop)
	<-up
	data := make([]byte, 100)
	from, to := relay.NewPID("", "h", "1"), relay.NewPID("b", "h", "2")
	send := func(topic string) {
		for {
			m := relay.NewMessage(from, to, topic, payload.Payload{Format: payload.Bytes, Data: data})
			if a.Send(m) == nil {
				return
			}
			m.Release()
			runtime.Gosched() // the queue is full
		}
	}
	b.Run("OneWay", func(b *testing.B) {
		const batch = 50_000
		b.SetBytes(batch * 100)
		for b.Loop() {
			for range batch {
				send("none")
			}
			send("last")
			<-got
		}
		b.ReportMetric(float64(b.N*batch)/b.Elapsed().Seconds(), "messages/s")
	})
	b.Run("HalfLoad", func(b *testing.B) {
		// 250 messages in every millisecond: half of what is asked of OneWay.
		const ticks, burst = 200, 250
		var worst int64
		for b.Loop() {
			ticker := time.NewTicker(time.Millisecond)
			for range ticks {
				<-ticker.C
				for range burst {
					// Data is encoded before Send returns, so it can be used again.
					binary.BigEndian.PutUint64(data, uint64(time.Now().UnixNano()))
					send("stamped")
				}
			}
			ticker.Stop()
			send("last")
			p99, _ := strconv.ParseInt(<-got, 10, 64)
			worst = max(worst, p99)
		}
		b.ReportMetric(float64(b.N*ticks*burst)/b.Elapsed().Seconds(), "messages/s")
		b.ReportMetric(float64(worst)/1e3, "p99-µs")
	})
	b.Run("RoundTrip", func(b *testing.B) {
		for b.Loop() {
			send("echo")
			<-got
		}
	})
	b.Run("RoundTripPlain", func(b *testing.B) {
		conn, err := net.Dial("tcp", addresses[1])
		if err != nil {
			b.Fatal(err)
		}
		defer conn.Close()
		room := make([]byte, len(data))
		for b.Loop() {
			if _, err := conn.Write(data); err != nil {
				b.Fatal(err)
			}
			if _, err := io.ReadFull(conn, room); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("OneWayPlain", func(b *testing.B) {
		// There and back: an echo in blocks as large as what the transport writes at once.
		conn, err := net.Dial("tcp", addresses[1])
		if err != nil {
			b.Fatal(err)
		}
		defer conn.Close()
		block := make([]byte, batchSize)
		b.SetBytes(batchSize)
		go func() { _, _ = io.Copy(io.Discard, conn) }()
		for b.Loop() {
			if _, err := conn.Write(block); err != nil {
				b.Fatal(err)
			}
		}
	})
}
