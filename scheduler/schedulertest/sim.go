// SPDX-License-Identifier: Apache-2.0

package schedulertest

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/wippyrun/kit/scheduler"
)

// Choice returns a number in [0, n). It decides what happens next.
type Choice func(n int) int

// Seeded returns a Choice that makes the same decisions for the same seed.
func Seeded(seed uint64) Choice {
	return rand.New(rand.NewPCG(seed, 0)).IntN
}

// TB is what a Sim needs of a test; [testing.TB] has it.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
}

// Sim is a scheduler driven by hand. It must not be used concurrently.
type Sim struct {
	tb     TB
	manual *scheduler.Manual
}

// New returns a Sim. It is stopped when the test ends, if tb is a [testing.TB];
// otherwise the caller calls [Sim.Stop].
func New(tb TB, choice Choice, cfg scheduler.Config) *Sim {
	tb.Helper()
	m, err := scheduler.NewManual(cfg, choice)
	if err != nil {
		tb.Fatalf("schedulertest: %v", err)
	}
	s := &Sim{tb: tb, manual: m}
	if t, ok := tb.(testing.TB); ok {
		t.Cleanup(func() { _ = s.Stop() })
	}
	return s
}

// Scheduler returns the scheduler that is driven.
func (s *Sim) Scheduler() *scheduler.Scheduler { return s.manual.Scheduler() }

// Submit submits p; the test fails if that fails.
func (s *Sim) Submit(p scheduler.Process, opt scheduler.SubmitOptions) *scheduler.Ref {
	s.tb.Helper()
	r, err := s.Scheduler().Submit(context.Background(), p, opt)
	if err != nil {
		s.tb.Fatalf("schedulertest: submit: %v", err)
	}
	return r
}

// Step runs one Step of one ready process and returns false if none is ready.
func (s *Sim) Step() bool { return s.manual.Step() }

// Run runs Steps until no process is ready and returns how many. The test fails
// if that takes more than limit Steps: some process never comes to rest.
func (s *Sim) Run(limit int) int {
	s.tb.Helper()
	for n := range limit {
		if !s.Step() {
			return n
		}
	}
	if s.Step() {
		s.tb.Fatalf("schedulertest: still busy after %d steps", limit)
	}
	return limit
}

// Stop stops the scheduler, running the Steps that takes.
func (s *Sim) Stop() error { return s.Scheduler().Stop(context.Background()) }
