package eventbus_test

import (
	"bytes"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/wippyrun/kit/eventbus"
)

func TestPanicIsContained(t *testing.T) {
	reports := make(chan eventbus.PanicReport, 10)
	bus := eventbus.New(eventbus.WithPanicHandler(func(r eventbus.PanicReport) { reports <- r }))
	var got, other sink
	s := subscribe(t, bus, "", "", func(ev eventbus.Event) {
		if ev.Path == "1" || ev.Path == "3" {
			panic("boom " + ev.Path)
		}
		got.add(ev)
	})
	subscribe(t, bus, "", "", other.add)
	for _, path := range numbered(5) {
		bus.Publish(event("s", "k", path))
	}
	stop(t, bus)
	if paths := got.paths(); !slices.Equal(paths, []string{"0", "2", "4"}) {
		t.Errorf("the subscriber that panics got %v", paths)
	}
	if paths := other.paths(); !slices.Equal(paths, numbered(5)) {
		t.Errorf("the other got %v", paths)
	}
	for _, path := range []string{"1", "3"} {
		r := <-reports
		if r.Subscription != s || r.Event.Path != path || r.Value != "boom "+path || !strings.Contains(string(r.Stack), "TestPanicIsContained") {
			t.Errorf("report %+v", r)
		}
	}
}

func TestGoexitInCallbackDoesNotEndTheSubscription(t *testing.T) {
	bus := eventbus.New()
	var got sink
	subscribe(t, bus, "", "", func(ev eventbus.Event) {
		if ev.Path == "1" {
			runtime.Goexit()
		}
		got.add(ev)
	})
	for _, path := range numbered(4) {
		bus.Publish(event("s", "k", path))
	}
	stop(t, bus)
	if paths := got.paths(); !slices.Equal(paths, []string{"0", "2", "3"}) {
		t.Errorf("got %v", paths)
	}
}

func TestPanicInThePanicHandlerIsContained(t *testing.T) {
	var log bytes.Buffer // written by one subscription only
	old := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(old)
	bus := eventbus.New(eventbus.WithPanicHandler(func(eventbus.PanicReport) { panic("handler") }))
	var got sink
	subscribe(t, bus, "", "", func(ev eventbus.Event) {
		if ev.Path == "1" {
			panic("callback")
		}
		got.add(ev)
	})
	for _, path := range numbered(3) {
		bus.Publish(event("s", "k", path))
	}
	stop(t, bus)
	if paths := got.paths(); !slices.Equal(paths, []string{"0", "2"}) {
		t.Errorf("got %v", paths)
	}
	for _, want := range []string{"panic=callback", "panic=handler", "topic=s.k", "TestPanicInThePanicHandlerIsContained"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("%q is not in the log:\n%s", want, log.String())
		}
	}
}

func TestSubscriberThatPanicsEveryTimeSeesEveryEvent(t *testing.T) {
	const n = 1000
	var reported atomic.Int64
	bus := eventbus.New(eventbus.WithPanicHandler(func(eventbus.PanicReport) { reported.Add(1) }))
	called := 0
	subscribe(t, bus, "", "", func(eventbus.Event) { called++; panic(called) })
	for range n {
		bus.Publish(event("s", "k", ""))
	}
	stop(t, bus)
	if called != n || reported.Load() != n || bus.Stats().Panics != n {
		t.Errorf("called %d times, reported %d, counted %d; want %d", called, reported.Load(), bus.Stats().Panics, n)
	}
}
