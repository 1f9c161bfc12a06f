// SPDX-License-Identifier: Apache-2.0

package process_test

import (
	"context"
	"io"
	"log/slog"
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/wippyrun/kit/scheduler"
)

// step is a process made of its Step function.
type step func(events []scheduler.Event, out *scheduler.Output) error

func (step) Init(context.Context, string, any) error { return nil }
func (s step) Step(events []scheduler.Event, out *scheduler.Output) error {
	return s(events, out)
}
func (step) Close() {}

func newScheduler(b *testing.B) *scheduler.Scheduler {
	s, err := scheduler.New(scheduler.Config{})
	if err != nil {
		b.Fatal(err)
	}
	s.Start()
	b.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			b.Error(err)
		}
	})
	return s
}

func submit(b *testing.B, s *scheduler.Scheduler, p scheduler.Process) *scheduler.Ref {
	ref, err := s.Submit(context.Background(), p, scheduler.SubmitOptions{})
	if err != nil {
		b.Fatal(err)
	}
	return ref
}

func newActors(b *testing.B) *actor.RootContext {
	quiet := slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelError + 1}))
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return quiet }))
	b.Cleanup(system.Shutdown)
	return system.Root
}
