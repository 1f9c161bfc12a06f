// SPDX-License-Identifier: Apache-2.0

package scheduler

import "context"

// The functions in this file are the only places where code of users is called;
// each turns a panic into an error.

// panicked counts and reports a contained panic and returns it as an error.
func (s *Scheduler) panicked(r *Ref, err *PanicError) error {
	s.panics.Add(1)
	if s.cfg.OnPanic != nil {
		s.report(r, err)
	}
	return err
}

func (s *Scheduler) report(r *Ref, err *PanicError) {
	defer func() { _ = recover() }() // there is nobody left to report to
	s.cfg.OnPanic(r, err)
}

// guard calls f and returns the panic it ended with, if any.
func (s *Scheduler) guard(r *Ref, op string, f func()) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = s.panicked(r, newPanicError(op, v))
		}
	}()
	f()
	return nil
}

// step runs one Step. It is apart from guard to spare the hot path a closure.
func (w *worker) step(p Process, events []Event) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = w.sched.panicked(w.out.ref, newPanicError("step", v))
		}
	}()
	return p.Step(events, &w.out)
}

func (s *Scheduler) initProcess(r *Ref, p Process, method string, input any) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = s.panicked(r, newPanicError("init", v))
		}
	}()
	return p.Init((*runContext)(r), method, input)
}

func (s *Scheduler) createProcess(r *Ref, u upgrade) (p Process, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = s.panicked(r, newPanicError("init", v))
		}
	}()
	return u.create((*runContext)(r))
}

func (s *Scheduler) closeProcess(r *Ref) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = s.panicked(r, newPanicError("close", v))
		}
	}()
	r.Process().Close()
	return nil
}

func (s *Scheduler) callOnStart(r *Ref) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = s.panicked(r, newPanicError("hook", v))
		}
	}()
	return s.cfg.Lifecycle.OnStart(context.Context((*runContext)(r)), r)
}
