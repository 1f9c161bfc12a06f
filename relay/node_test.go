// SPDX-License-Identifier: Apache-2.0

package relay_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/wippyrun/kit/relay"
)

// recorder is a host and a sender that keeps what it gets.
type recorder struct {
	mu  sync.Mutex
	got []*relay.Message
	err error
}

func (r *recorder) Receive(m *relay.Message) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return r.err
	}
	r.got = append(r.got, m)
	return nil
}

func (r *recorder) Send(m *relay.Message) error { return r.Receive(m) }

func to(node, host string) *relay.Message {
	return relay.NewMessage(relay.PID{}, relay.NewPID(node, host, "u"), "t")
}

func kindOf(err error) string {
	var k interface{ Kind() string }
	if errors.As(err, &k) {
		return k.Kind()
	}
	return ""
}

func detailsOf(err error) map[string]any {
	var d interface{ Details() map[string]any }
	if errors.As(err, &d) {
		return d.Details()
	}
	return nil
}

func TestNodeDeliversToTheHostOfThePID(t *testing.T) {
	n := relay.NewNode("n1")
	var a, b recorder
	if err := errors.Join(n.Register("app:a", &a), n.Register("app:b", &b)); err != nil {
		t.Fatal(err)
	}
	local, named := to("", "app:a"), to("n1", "app:a")
	if err := errors.Join(n.Send(local), n.Send(named)); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(a.got, []*relay.Message{local, named}) || len(b.got) != 0 {
		t.Errorf("a got %d, b got %d", len(a.got), len(b.got))
	}
	if got := n.Hosts(); !slices.Equal(got, []string{"app:a", "app:b"}) {
		t.Errorf("Hosts() = %v", got)
	}
}

func TestNodeReportsWhatItCannotDeliver(t *testing.T) {
	n := relay.NewNode("n1")
	own := errors.New("full")
	if err := n.Register("full", &recorder{err: own}); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		m       *relay.Message
		want    error
		kind    string
		text    string
		details map[string]any
	}{
		{nil, relay.ErrNilMessage, "Invalid", "cannot send nil package", nil},
		{to("n2", "full"), relay.ErrForeignNode, "Unavailable", "cannot route to external node", map[string]any{"node_id": "n2"}},
		{to("", "gone"), relay.ErrHostNotFound, "NotFound", "host not found", map[string]any{"host_id": "gone", "node_id": "n1"}},
		{to("", "full"), own, "", "full", nil},
	}
	for _, tt := range tests {
		err := n.Send(tt.m)
		if !errors.Is(err, tt.want) || err.Error() != tt.text || kindOf(err) != tt.kind || !maps.Equal(detailsOf(err), tt.details) {
			t.Errorf("Send = %v (%s, %v), want %s (%s, %v)", err, kindOf(err), detailsOf(err), tt.text, tt.kind, tt.details)
		}
		if tt.m != nil {
			tt.m.Release() // still ours
		}
	}
}

func TestNodeRegisterRefusesDuplicatesAndNil(t *testing.T) {
	n := relay.NewNode("")
	if n.Name() != relay.LocalNode {
		t.Errorf("name = %q", n.Name())
	}
	var first recorder
	if err := n.Register("h", &first); err != nil {
		t.Fatal(err)
	}
	err := n.Register("h", new(recorder))
	if !errors.Is(err, relay.ErrHostExists) || err.Error() != "host already exists" || kindOf(err) != "AlreadyExists" {
		t.Errorf("duplicate: %v (%s)", err, kindOf(err))
	}
	if h, ok := n.Host("h"); !ok || h != &first {
		t.Error("the first host was replaced")
	}
	if err := n.Register("nil", nil); !errors.Is(err, relay.ErrNilHost) || kindOf(err) != "Invalid" {
		t.Errorf("nil host: %v", err)
	}
	if !n.Unregister("h") || n.Unregister("h") {
		t.Error("Unregister does not tell whether there was a host")
	}
	if _, ok := n.Host("h"); ok {
		t.Error("host is still there")
	}
	if err := n.Register("h", new(recorder)); err != nil {
		t.Errorf("register again: %v", err)
	}
}

func TestNodeContainsPanicsOfHosts(t *testing.T) {
	type report struct {
		value any
		stack string
	}
	var got []report
	n := relay.NewNode("n", relay.WithPanicFunc(func(_ relay.Host, v any, stack []byte) {
		got = append(got, report{v, string(stack)})
	}))
	bad := relay.HostFunc(func(*relay.Message) error { panic("boom") })
	if err := n.Register("bad", bad); err != nil {
		t.Fatal(err)
	}
	m := to("", "bad")
	if err := n.Send(m); err != nil {
		t.Errorf("Send = %v, want nil: the message is gone", err)
	}
	if m.To.Host() != "bad" {
		t.Error("the message was recycled although its owner is unknown")
	}
	if len(got) != 1 || got[0].value != "boom" || !strings.Contains(got[0].stack, "node_test.go") {
		t.Errorf("reports: %v", got)
	}
}

func TestNodeLogsPanicsByDefault(t *testing.T) {
	var buf bytes.Buffer
	old := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&buf, nil)))
	defer slog.SetDefault(old)
	n := relay.NewNode("n", relay.WithPanicFunc(nil))
	if err := n.Register("bad", relay.HostFunc(func(*relay.Message) error { panic("boom") })); err != nil {
		t.Fatal(err)
	}
	if err := n.Send(to("", "bad")); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(buf.String(), "relay: host panicked") || !strings.Contains(buf.String(), "panic=boom") {
		t.Errorf("log: %s", buf.String())
	}
}

func TestNodeHostsComeAndGoWhileOthersAreUsedConcurrent(t *testing.T) {
	n := relay.NewNode("n")
	var steady recorder
	if err := n.Register("steady", &steady); err != nil {
		t.Fatal(err)
	}
	const rounds = 500
	var wg sync.WaitGroup
	for g := range 4 {
		id := fmt.Sprint("h", g)
		wg.Go(func() {
			var mine recorder
			for range rounds {
				if err := n.Register(id, &mine); err != nil {
					t.Error(err)
				}
				if err := errors.Join(n.Send(to("", id)), n.Send(to("", "steady"))); err != nil {
					t.Error(err)
				}
				n.Unregister(id)
				if err := n.Send(to("", id)); !errors.Is(err, relay.ErrHostNotFound) {
					t.Errorf("after Unregister: %v", err)
				}
			}
			if len(mine.got) != rounds {
				t.Errorf("%s got %d", id, len(mine.got))
			}
		})
	}
	wg.Wait()
	if len(steady.got) != 4*rounds {
		t.Errorf("steady got %d", len(steady.got))
	}
}
