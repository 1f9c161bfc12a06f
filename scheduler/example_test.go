// SPDX-License-Identifier: Apache-2.0

package scheduler_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/wippyrun/kit/scheduler"
	"github.com/wippyrun/kit/scheduler/dispatch"
)

// counter adds up the numbers it is sent until it is told to stop.
type counter struct{ sum int }

func (c *counter) Init(_ context.Context, _ string, input any) error {
	c.sum = input.(int)
	return nil
}

func (c *counter) Step(events []scheduler.Event, out *scheduler.Output) error {
	for _, ev := range events {
		switch msg := ev.Data.(type) {
		case int:
			c.sum += msg
		case string:
			out.Done(c.sum)
		}
	}
	return nil
}

func (c *counter) Close() {}

func Example() {
	ctx := context.Background()
	s, err := scheduler.New(scheduler.Config{})
	if err != nil {
		panic(err)
	}
	s.Start()
	defer func() { _ = s.Stop(ctx) }()

	ref, err := s.Submit(ctx, new(counter), scheduler.SubmitOptions{Input: 100})
	if err != nil {
		panic(err)
	}
	for i := range 10 {
		_ = ref.Send(i)
	}
	_ = ref.Send("stop")
	fmt.Println(ref.Wait(ctx))
	// Output: 145 <nil>
}

// after is a command: complete after a while.
type after struct{ d time.Duration }

const afterID dispatch.CommandID = 256

func (after) CommandID() dispatch.CommandID { return afterID }

// sleeper waits twice at the same time.
type sleeper struct{ done [2]string }

func (*sleeper) Init(context.Context, string, any) error { return nil }

func (s *sleeper) Step(events []scheduler.Event, out *scheduler.Output) error {
	if events == nil {
		out.Yield(after{20 * time.Millisecond}, 1)
		out.Yield(after{time.Millisecond}, 2)
	}
	for _, ev := range events { // in the order in which they complete
		s.done[ev.Tag-1] = fmt.Sprintf("tag %d: %v", ev.Tag, ev.Data)
	}
	if s.done[0] != "" && s.done[1] != "" {
		out.Done(strings.Join(s.done[:], ", "))
	}
	return nil
}

func (*sleeper) Close() {}

func ExampleOutput_Yield() {
	commands := dispatch.NewRegistry()
	commands.Register("example", afterID, dispatch.HandlerFunc(
		func(_ context.Context, cmd dispatch.Command, tag dispatch.Tag, r dispatch.Receiver) error {
			time.AfterFunc(cmd.(after).d, func() { r.CompleteYield(tag, "done", nil) })
			return nil
		}))
	commands.Freeze()

	ctx := context.Background()
	s, err := scheduler.New(scheduler.Config{Dispatch: commands})
	if err != nil {
		panic(err)
	}
	s.Start()
	defer func() { _ = s.Stop(ctx) }()
	ref, err := s.Submit(ctx, new(sleeper), scheduler.SubmitOptions{})
	if err != nil {
		panic(err)
	}
	fmt.Println(ref.Wait(ctx))
	// Output: tag 1: done, tag 2: done <nil>
}
