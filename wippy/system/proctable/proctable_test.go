package proctable_test

import (
	"context"
	"errors"
	"testing"

	"go.uber.org/goleak"

	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/scheduler"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/proctable"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// listener hands every message's topic on.
type listener struct{ got chan string }

func (l listener) Init(context.Context, string, any) error { return nil }
func (l listener) Close()                                  {}
func (l listener) Step(events []scheduler.Event, _ *scheduler.Output) error {
	for _, e := range events {
		m := e.Data.(*relay.Message)
		l.got <- m.Topic
		m.Release()
	}
	return nil
}

func TestTableDeliversUntilTheProcessIsRemoved(t *testing.T) {
	s, err := scheduler.New(scheduler.Config{Workers: 1, OnDrop: proctable.Drop})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	defer s.Stop(context.Background())
	l := listener{make(chan string, 1)}
	ref, err := s.Submit(t.Context(), l, scheduler.SubmitOptions{})
	if err != nil {
		t.Fatal(err)
	}
	table, pid := proctable.New(), relay.NewPID("", "app:h", "0x00001")
	send := func(topic string) error { return table.Receive(relay.NewMessage(relay.PID{}, pid, topic)) }
	if err := send("early"); fault.KindOf(err) != fault.NotFound || err.Error() != "process not found" {
		t.Errorf("unknown process: %v", err)
	}
	table.Add(pid, ref)
	if err := send("hello"); err != nil || <-l.got != "hello" {
		t.Errorf("send: %v", err)
	}
	if found, ok := table.Find(pid); !ok || found != ref || table.Len() != 1 {
		t.Error("the process is not in the table")
	}
	if err := table.Terminate(pid); err != nil {
		t.Error(err)
	}
	if _, err := ref.Wait(t.Context()); !errors.Is(err, scheduler.ErrTerminated) {
		t.Errorf("ended with %v", err)
	}
	table.Remove(pid)
	if err := table.Terminate(pid); fault.KindOf(err) != fault.NotFound {
		t.Errorf("terminate after removal: %v", err)
	}
}
