// SPDX-License-Identifier: Apache-2.0

package process_test

import (
	"testing"

	"github.com/wippyrun/kit/benchmarks/process"
	"github.com/wippyrun/kit/scheduler"
)

// ball is the message of all contestants where what it says does not matter; a pointer,
// so that nobody pays for boxing.
var ball any = &struct{ n int }{1}

func oursPingPong(b *testing.B, send func(*scheduler.Output, *scheduler.Ref, any) error) process.Batch {
	s := newScheduler(b, scheduler.Config{})
	done := make(chan struct{}, 1)
	left := 0
	pong := submit(b, s, step(func(events []scheduler.Event, out *scheduler.Output) error {
		for _, e := range events {
			if err := send(out, e.Data.(*scheduler.Ref), out.Ref()); err != nil {
				return err
			}
		}
		return nil
	}))
	ping := submit(b, s, step(func(events []scheduler.Event, out *scheduler.Output) error {
		for range events {
			if left--; left < 0 {
				done <- struct{}{}
				continue
			}
			if err := send(out, pong, out.Ref()); err != nil {
				return err
			}
		}
		return nil
	}))
	return process.Timed(func() {
		left = process.Rounds
		if err := ping.Send(nil); err != nil {
			b.Fatal(err)
		}
		<-done
	})
}

func oursRing(b *testing.B) process.Batch {
	s := newScheduler(b, scheduler.Config{})
	done := make(chan struct{}, 1)
	refs := make([]*scheduler.Ref, process.RingSize)
	laps := 0
	for i := range refs {
		refs[i] = submit(b, s, step(func(events []scheduler.Event, out *scheduler.Output) error {
			for _, e := range events {
				if i == 0 {
					if laps--; laps < 0 {
						done <- struct{}{}
						continue
					}
				}
				if err := out.Send(refs[(i+1)%len(refs)], e.Data); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	return process.Timed(func() {
		laps = process.Laps
		send(b, refs[0], ball)
		<-done
	})
}

// oursFanIn lets the senders send so many messages per step.
func oursFanIn(b *testing.B, perStep int) process.Batch {
	s := newScheduler(b, scheduler.Config{})
	done := make(chan struct{}, 1)
	seen := 0
	target := submit(b, s, step(func(events []scheduler.Event, _ *scheduler.Output) error {
		if seen += len(events); seen == process.Senders*process.Each {
			seen = 0
			done <- struct{}{}
		}
		return nil
	}))
	refs := make([]*scheduler.Ref, process.Senders)
	for i := range refs {
		left := 0
		refs[i] = submit(b, s, step(func(events []scheduler.Event, out *scheduler.Output) error {
			left += len(events) * process.Each
			for range min(left, perStep) {
				left--
				if err := out.Send(target, ball); err != nil {
					return err
				}
			}
			if left > 0 {
				out.Continue()
			}
			return nil
		}))
	}
	return process.Timed(func() {
		for _, ref := range refs {
			send(b, ref, ball)
		}
		<-done
	})
}

func oursFanOut(b *testing.B) process.Batch {
	s := newScheduler(b, scheduler.Config{})
	done := make(chan struct{}, 1)
	refs := make([]*scheduler.Ref, process.Receivers)
	answers := 0
	hub := submit(b, s, step(func(events []scheduler.Event, out *scheduler.Output) error {
		for _, e := range events {
			if e.Data != nil {
				if answers++; answers == len(refs) {
					done <- struct{}{}
				}
				continue
			}
			answers = 0
			for range process.Deliveries {
				for _, ref := range refs {
					if err := out.Send(ref, ball); err != nil {
						return err
					}
				}
			}
		}
		return nil
	}))
	for i := range refs {
		got := 0
		refs[i] = submit(b, s, step(func(events []scheduler.Event, out *scheduler.Output) error {
			if got += len(events); got < process.Deliveries {
				return nil
			}
			got = 0
			return out.Send(hub, ball)
		}))
	}
	return process.Timed(func() {
		send(b, hub, nil)
		<-done
	})
}

func oursSend(b *testing.B) process.Batch {
	s := newScheduler(b, scheduler.Config{})
	done := make(chan struct{}, 1)
	seen := 0
	ref := submit(b, s, step(func(events []scheduler.Event, _ *scheduler.Output) error {
		if seen += len(events); seen == process.Sends {
			seen = 0
			done <- struct{}{}
		}
		return nil
	}))
	return process.Timed(func() {
		for range process.Sends {
			send(b, ref, ball)
		}
		<-done
	})
}
