// SPDX-License-Identifier: Apache-2.0

package internode

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
)

// events are what a transport told in a test, as text.
type events chan string

// expect waits for an event that begins with a text.
func (e events) expect(t *testing.T, want string) {
	t.Helper()
	select {
	case got := <-e:
		if !strings.HasPrefix(got, want) {
			t.Fatalf("%q, want %q", got, want)
		}
	case <-time.After(time.Minute):
		t.Fatalf("waited in vain for %q", want)
	}
}

// up waits until a node is up and returns the epoch.
func (e events) up(t *testing.T, node string) (epoch uint64) {
	t.Helper()
	select {
	case got := <-e:
		if n, err := fmt.Sscanf(got, "up "+node+" %d", &epoch); n != 1 || err != nil {
			t.Fatalf("%q, want that %s is up", got, node)
		}
	case <-time.After(time.Minute):
		t.Fatalf("waited in vain for %s", node)
	}
	return epoch
}

// quick is a configuration with short beats, and patience enough for a machine that stands
// still for a while; change may alter it.
func quick(node string, peers map[string]string, deliver func(*relay.Message), told events, change ...func(*Config)) Config {
	c := Config{
		Node: node, Listen: "127.0.0.1:0", Peers: peers, Secret: []byte("0123456789abcdef"),
		Deliver: deliver, Transcoder: payload.NewDefault(), Log: slog.New(slog.DiscardHandler),
		Beat: 50 * time.Millisecond, Patience: time.Minute,
		Up:   func(node string, epoch uint64) { told <- fmt.Sprintf("up %s %d", node, epoch) },
		Down: func(node string, reason error) { told <- "down " + node + ": " + reason.Error() },
	}
	for _, f := range change {
		f(&c)
	}
	return c
}

// hasty is for nodes that are to be found lost. On a machine that stands still they may be
// found lost once more, and come back: tests expect events that alternate anyway.
func hasty(c *Config) { c.Patience = 400 * time.Millisecond }

func listen(t *testing.T, c Config) *Transport {
	t.Helper()
	tr, err := Listen(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tr.Stop)
	return tr
}

func discard(m *relay.Message) { m.Release() }

func to(node string, p payload.Payload) *relay.Message {
	return relay.NewMessage(relay.NewPID("", "h", "1"), relay.NewPID(node, "h", "2"), "t", p)
}

func TestTransportsCarryConvertedPayloadsBothWays(t *testing.T) {
	told := make(events, 10)
	got := make(chan *relay.Message, 10)
	b := listen(t, quick("b", map[string]string{"a": ""}, func(m *relay.Message) { got <- m }, told))
	a := listen(t, quick("a", map[string]string{"b": b.Addr().String()}, func(m *relay.Message) { got <- m }, told))
	told.expect(t, "up ")
	told.expect(t, "up ")
	router := relay.NewRouter(relay.NewNode("a"))
	router.SetInternode(a)
	if err := router.Send(to("b", payload.New(map[string]any{"x": "y"}))); err != nil {
		t.Fatal(err)
	}
	m := <-got
	v, err := payload.NewDefault().Transcode(m.Payload(), payload.Go)
	if err != nil || !reflect.DeepEqual(v.Data, map[string]any{"x": "y"}) || m.From.Node() != "a" {
		t.Errorf("%v %v from %v", v.Data, err, m.From)
	}
	if err := b.Send(to("a", payload.Payload{Format: payload.String, Data: "s"})); err != nil {
		t.Fatal(err)
	}
	if m = <-got; m.Payload().Data != "s" || m.From.Node() != "b" {
		t.Errorf("%v from %v", m.Payload(), m.From)
	}
	if s := a.Stats()["b"]; !s.Up || s.Sent != 1 || s.Delivered != 1 || s.Connects != 1 {
		t.Errorf("%+v", s)
	}
}

func TestSendRefusesWhatCannotTravel(t *testing.T) {
	a := listen(t, quick("a", map[string]string{"b": "127.0.0.1:1"}, discard, nil, func(c *Config) { c.QueueMessages = 128; c.MaxMessage = 2000 }))
	text := func(n int) payload.Payload {
		return payload.Payload{Format: payload.String, Data: strings.Repeat("x", n)}
	}
	for _, row := range []struct {
		m    *relay.Message
		want error
	}{
		{nil, relay.ErrNilMessage},
		{to("c", text(1)), relay.ErrNodeNotFound},
		{to("b", text(3000)), ErrFrameSize},
		{to("b", payload.Payload{Format: payload.Lua, Data: 1}), payload.ErrNoPath},
	} {
		if err := a.Send(row.m); !errors.Is(err, row.want) {
			t.Errorf("%v: %v, want %v", row.m, err, row.want)
		}
	}
	for range 128 {
		if err := a.Send(to("b", text(1))); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Send(to("b", text(1))); err != ErrQueueFull {
		t.Error(err)
	}
	if s := a.Stats()["b"]; s.Refused != 3 || s.Waiting != 128 {
		t.Errorf("%+v", s)
	}
	a.Stop()
	if err := a.Send(to("b", text(1))); err != ErrStopped {
		t.Error(err)
	}
}

func TestConfigurationIsChecked(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"no secret":   func(c *Config) { c.Secret = nil },
		"no Deliver":  func(c *Config) { c.Deliver = nil },
		"must not":    func(c *Config) { c.Node = "x|y" },
		"must not c":  func(c *Config) { c.Peers = map[string]string{"{": "h:1"} },
		"empty":       func(c *Config) { c.Node = "" },
		"limit":       func(c *Config) { c.Node = strings.Repeat("x", 256) },
		"own peer":    func(c *Config) { c.Peers = map[string]string{"m": "h:1"} },
		"no address":  func(c *Config) { c.Peers = map[string]string{"z": ""} },
		"nowhere":     func(c *Config) { c.Listen = "" },
		"two beats":   func(c *Config) { c.Patience = c.Beat },
		"message lim": func(c *Config) { c.MaxMessage = 1 },
		"too short":   func(c *Config) { c.QueueMessages = 1 },
	} {
		tr, err := Listen(quick("m", map[string]string{"a": ""}, discard, nil, change))
		if !errors.Is(err, ErrConfig) || tr != nil || !strings.Contains(err.Error(), strings.TrimSuffix(name, " c")) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, bad := range []string{"a|", "@", "{", "}"} {
		if CheckName(bad) == nil {
			t.Error(bad)
		}
	}
}

func TestLostNodeIsReportedAndItsNextRunIsWelcome(t *testing.T) {
	told, none := make(events, 100), make(events, 100)
	z := listen(t, quick("z", map[string]string{"a": ""}, discard, told, hasty))
	config := quick("a", map[string]string{"z": z.Addr().String()}, discard, none)
	a := listen(t, config)
	first := told.up(t, "a")
	a.Stop()
	told.expect(t, "down a: ")
	listen(t, config)
	for told.up(t, "a") < first+2 { // the same run, which was lost and came back before it was stopped
		told.expect(t, "down a: ")
	}
}

func TestRunAfterAnotherWithoutAPauseIsANewOne(t *testing.T) {
	told, none := make(events, 10), make(events, 10)
	z := listen(t, quick("z", map[string]string{"a": ""}, discard, told))
	config := quick("a", map[string]string{"z": z.Addr().String()}, discard, none)
	a := listen(t, config)
	told.expect(t, "up a 1")
	a.Stop()
	listen(t, config)
	told.expect(t, "down a: "+ErrNewRun.Error())
	told.expect(t, "up a 2")
}

// cable is a proxy that can be cut.
type cable struct {
	listener net.Listener
	mu       sync.Mutex
	frozen   bool // what is on the way is lost, nobody notices
	conns    []net.Conn
	running  sync.WaitGroup
}

func newCable(t *testing.T, target string) *cable {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{listener: l}
	c.running.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", target)
			if err != nil {
				in.Close()
				continue
			}
			c.mu.Lock()
			c.conns = append(c.conns, in, out)
			c.mu.Unlock()
			c.running.Go(func() { c.copy(in, out) })
			c.running.Go(func() { c.copy(out, in) })
		}
	})
	t.Cleanup(func() { l.Close(); c.cut(); c.running.Wait() })
	return c
}

func (c *cable) copy(to, from net.Conn) {
	defer to.Close()
	b := make([]byte, 4096)
	for {
		n, err := from.Read(b)
		if err != nil {
			return
		}
		c.mu.Lock()
		frozen := c.frozen
		c.mu.Unlock()
		if frozen {
			continue
		}
		if _, err := to.Write(b[:n]); err != nil {
			return
		}
	}
}

func (c *cable) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.conns {
		conn.Close()
	}
	c.conns = nil
}

func (c *cable) freeze(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.frozen = on
}

func TestMessagesSurviveCutCablesOnceInOrder(t *testing.T) {
	const messages = 3000
	told := make(events, 100)
	got := make(chan uint64, messages)
	z := listen(t, quick("z", map[string]string{"a": ""}, func(m *relay.Message) { got <- numberOf(m); m.Release() }, told))
	wire := newCable(t, z.Addr().String())
	a := listen(t, quick("a", map[string]string{"z": wire.listener.Addr().String()}, discard, told))
	told.expect(t, "up ")
	told.expect(t, "up ")
	next := uint64(0)
	for n := range uint64(messages) {
		m := numbered(n)
		m.To = relay.NewPID("z", "h", "2")
		if err := a.Send(m); err != nil {
			t.Fatal(err)
		}
		if n%300 == 299 {
			wire.cut()
		}
		for len(got) > 0 {
			if v := <-got; v != next {
				t.Fatalf("message %d, want %d", v, next)
			}
			next++
		}
	}
	for ; next < messages; next++ {
		if v := <-got; v != next {
			t.Fatalf("message %d, want %d", v, next)
		}
	}
	if len(told) > 0 {
		t.Errorf("a short break was reported: %s", <-told)
	}
}

func TestPartitionIsReportedAndHeals(t *testing.T) {
	toldA, toldZ := make(events, 100), make(events, 100)
	z := listen(t, quick("z", map[string]string{"a": ""}, discard, toldZ, hasty))
	wire := newCable(t, z.Addr().String())
	listen(t, quick("a", map[string]string{"z": wire.listener.Addr().String()}, discard, toldA, hasty))
	first := max(toldA.up(t, "z"), toldZ.up(t, "a"))
	wire.freeze(true)
	toldA.expect(t, "down z: ")
	toldZ.expect(t, "down a: ")
	wire.freeze(false)
	ofA, ofZ := toldA.up(t, "z"), toldZ.up(t, "a")
	for ofA != ofZ {
		if ofA < ofZ {
			toldA.expect(t, "down z: ")
			ofA = toldA.up(t, "z")
		} else {
			toldZ.expect(t, "down a: ")
			ofZ = toldZ.up(t, "a")
		}
	}
	if ofA <= first {
		t.Errorf("epoch %d after %d", ofA, first)
	}
}

func TestOnlyPeersWithTheSecretConnect(t *testing.T) {
	for what, change := range map[string]func(*Config){
		"secret": func(c *Config) { c.Secret = []byte("another") },
		"name":   func(c *Config) { c.Node = "aa" },
	} {
		told := make(events, 10)
		z := listen(t, quick("z", map[string]string{"a": ""}, discard, told))
		a := listen(t, quick("a", map[string]string{"z": z.Addr().String()}, discard, told, change))
		if err := a.dial(a.peers["z"]); !errors.Is(err, ErrProof) && !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v", what, err)
		}
		if len(told) > 0 {
			t.Errorf("%s: %s", what, <-told)
		}
	}
}

func TestTransportOverTLS(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, _ := x509.ParseCertificate(der)
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	secure := func(c *Config) {
		c.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, RootCAs: pool}
	}
	told, got := make(events, 10), make(chan struct{})
	z := listen(t, quick("z", map[string]string{"a": ""}, func(m *relay.Message) { m.Release(); close(got) }, told, secure))
	a := listen(t, quick("a", map[string]string{"z": z.Addr().String()}, discard, told, secure))
	told.expect(t, "up ")
	told.expect(t, "up ")
	if err := a.Send(to("z", payload.Payload{Format: payload.String, Data: "s"})); err != nil {
		t.Fatal(err)
	}
	<-got
	conn, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", z.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = conn.Write([]byte("not TLS, not anything\n"))
	if _, err := io.ReadAll(conn); err != nil && !errors.Is(err, net.ErrClosed) {
		t.Log(err) // a reset is fine as well
	}
}
