// SPDX-License-Identifier: Apache-2.0

package control_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/wippyrun/kit/eventbus"
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/wippy/service/control"
	"github.com/wippyrun/kit/wippy/system/inspect"
	"github.com/wippyrun/kit/wippy/system/supervisor"
	"github.com/wippyrun/kit/wippy/system/topology"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newNode makes what a server shows.
func newNode(t *testing.T) control.Node {
	t.Helper()
	bus := eventbus.New()
	sup := supervisor.New()
	t.Cleanup(func() {
		_ = sup.Shutdown(context.Background())
		_ = bus.Stop(context.Background())
	})
	return control.Node{
		Inspector: &inspect.Inspector{
			Node:       relay.NewNode("n1"),
			Topology:   topology.New(func(*relay.Message) error { return errors.New("nobody") }),
			Supervisor: sup,
			Dir:        "/project",
			Started:    time.Now(),
		},
		Bus: bus,
		Log: slog.New(slog.DiscardHandler),
	}
}

func serve(t *testing.T, dir string, node control.Node) *control.Server {
	t.Helper()
	s, err := control.Listen(dir, node)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func connect(t *testing.T, s *control.Server) *control.Client {
	t.Helper()
	c, err := control.Connect(t.Context(), s.Path())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestNodesAreFound(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "sockets")
	if all, err := control.Find(t.Context(), dir); err != nil || len(all) != 0 {
		t.Errorf("without a directory: %v, %v", all, err)
	}
	first := serve(t, dir, newNode(t))
	second := serve(t, dir, newNode(t)) // two in one program
	var all []*control.Client
	for begun := time.Now(); len(all) != 2; { // one that does not answer in time, on a busy machine, is left out
		for _, c := range all {
			c.Close()
		}
		var err error
		if all, err = control.Find(t.Context(), dir); err != nil || len(all) > 2 || len(all) < 2 && time.Since(begun) > time.Minute {
			t.Fatalf("found %d, %v", len(all), err)
		}
	}
	for _, c := range all {
		if c.Node.Dir != "/project" || c.Node.PID != os.Getpid() || c.Node.Name != "n1" {
			t.Errorf("node is %+v", c.Node)
		}
		c.Close()
	}
	if first.Path() == second.Path() {
		t.Error("two servers share a socket")
	}
	if err := errors.Join(first.Close(), second.Close()); err != nil {
		t.Error(err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestLeftoversAreRemoved(t *testing.T) {
	dir := t.TempDir()
	own := fmt.Sprintf("%d-1.sock", os.Getpid())
	for _, name := range []string{own, "2000000000.sock", "2000000000-3.sock"} { // no system counts that far
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, name), Net: "unix"})
		if err != nil {
			t.Fatal(err)
		}
		l.SetUnlinkOnClose(false)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	left := func() int {
		t.Helper()
		if all, err := control.Find(t.Context(), dir); err != nil || len(all) != 0 {
			t.Errorf("found %v, %v", all, err)
		}
		left, _ := filepath.Glob(filepath.Join(dir, "*"))
		return len(left)
	}
	if n := left(); n != 1 {
		t.Errorf("%d sockets are left; that of a program that runs may have just been made, to serve on it", n)
	}
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(filepath.Join(dir, own), old, old); err != nil {
		t.Fatal(err)
	}
	if left() != 0 {
		t.Error("an old socket was left")
	}
}

func TestForeignDirectoryIsRefused(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(t.TempDir(), link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, link} {
		if s, err := control.Listen(path, newNode(t)); err == nil {
			_ = s.Close()
			t.Errorf("%s is accepted", path)
		}
	}
	open := filepath.Join(dir, "open")
	if err := os.Mkdir(open, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o777); err != nil {
		t.Fatal(err)
	}
	serve(t, open, newNode(t))
	info, err := os.Stat(open)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("an open directory is %v, %v", info.Mode(), err)
	}
	if _, err := control.Listen(filepath.Join(dir, strings.Repeat("d", 120)), newNode(t)); err == nil || !strings.Contains(err.Error(), "too long") {
		t.Errorf("a long name: %v", err)
	}
}

// sleepy is a service that runs until it is stopped.
type sleepy struct{ status chan any }

func (s *sleepy) Start(context.Context) (<-chan any, error) {
	s.status = make(chan any)
	return s.status, nil
}

func (s *sleepy) Stop(context.Context) error {
	close(s.status)
	return nil
}

func TestServicesAreStartedAndStopped(t *testing.T) {
	node := newNode(t)
	sup := node.Inspector.Supervisor
	if err := errors.Join(sup.Begin(t.Context()), sup.Register("app:s", &sleepy{}, supervisor.Lifecycle{}, nil), sup.Commit(t.Context())); err != nil {
		t.Fatal(err)
	}
	if err := sup.Settled(t.Context()); err != nil {
		t.Fatal(err)
	}
	c := connect(t, serve(t, t.TempDir(), node))
	if s, err := c.StartService(t.Context(), "app:s"); err != nil || s.State != "running" || s.Desired != "running" {
		t.Errorf("start: %+v, %v", s, err)
	}
	if s, err := c.StopService(t.Context(), "app:s"); err != nil || s.State != "stopped" {
		t.Errorf("stop: %+v, %v", s, err)
	}
	if _, err := c.StopService(t.Context(), "app:none"); err == nil || err.Error() != "service not found" {
		t.Errorf("unknown: %v", err)
	}
	if all, err := c.Services(t.Context()); err != nil || len(all) != 1 || all[0].ID != "app:s" {
		t.Errorf("services: %v, %v", all, err)
	}
	if _, err := c.Processes(t.Context(), inspect.Query{Order: "size"}); err == nil || !strings.Contains(err.Error(), `unknown order "size"`) {
		t.Errorf("unknown order: %v", err)
	}
	if _, err := c.Processes(t.Context(), inspect.Query{Limit: -1}); err == nil || !strings.Contains(err.Error(), "limit must be a whole number") {
		t.Errorf("bad limit: %v", err)
	}
}

func TestEventsAreTapped(t *testing.T) {
	node := newNode(t)
	s := serve(t, t.TempDir(), node)
	c := connect(t, s)
	cyclic := map[string]any{}
	cyclic["self"] = cyclic
	got, tap := openTap(t, node, c)
	for _, data := range []any{map[string]any{"n": 1}, errors.New("broken"), func() {}, cyclic, nil} {
		node.Bus.Publish(eventbus.Event{System: "other", Kind: "k", Path: "p", Data: data})
		node.Bus.Publish(eventbus.Event{System: "app", Kind: "k", Path: "p", Data: data})
	}
	var data []string
	for e := range got {
		if e.System != "app" {
			t.Errorf("got %+v", e)
		}
		if e.Kind == "k" {
			data = append(data, string(e.Data))
		}
		if len(data) == 5 {
			break
		}
	}
	if data[0] != `{"n":1}` || data[1] != `"broken"` || data[2] != `"func()"` || data[3] != `"map[string]interface {}"` || data[4] != "" {
		t.Errorf("data is %q", data)
	}
	if err := s.Close(); err != nil { // the node ends: so does the tap
		t.Error(err)
	}
	tap.Wait()
	if _, open := <-got; open {
		t.Error("the tap goes on after the end of the node")
	}
}

// openTap follows the events of the system app. It returns when the tap is open; the channel is closed with it.
func openTap(t *testing.T, node control.Node, c *control.Client) (<-chan control.Event, *sync.WaitGroup) {
	t.Helper()
	got := make(chan control.Event)
	tap := &sync.WaitGroup{}
	tap.Go(func() {
		defer close(got)
		if err := c.Events(t.Context(), "app", "", func(e control.Event) error {
			got <- e
			return nil
		}); err != nil {
			t.Error(err)
		}
	})
	// Nobody knows when the tap is open: publish until the first event arrives.
	stop := make(chan struct{})
	var publisher sync.WaitGroup
	publisher.Go(func() {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				node.Bus.Publish(eventbus.Event{System: "app", Kind: "open"})
			}
		}
	})
	<-got
	close(stop)
	publisher.Wait()
	return got, tap
}

func TestSlowReaderIsTold(t *testing.T) {
	node := newNode(t)
	s := serve(t, t.TempDir(), node)
	got, tap := openTap(t, node, connect(t, s))
	const published = 30_000 // more than all buffers between the two
	for range published {
		node.Bus.Publish(eventbus.Event{System: "app", Kind: "many", Path: strings.Repeat("p", 100)})
	}
	node.Bus.Publish(eventbus.Event{System: "app", Kind: "end"})
	received, dropped := 0, uint64(0)
	for e := range got {
		dropped += e.Dropped
		if e.Kind == "many" {
			received++
		}
		if e.Kind == "end" {
			break
		}
	}
	if dropped == 0 || received+int(dropped) < published {
		t.Errorf("%d received, %d dropped of %d", received, dropped, published)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	tap.Wait()
}
