// SPDX-License-Identifier: Apache-2.0

package scheduler_test

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wippyrun/kit/scheduler"
)

// BenchmarkSubmitDone is S1: submit, one step, done; amortised over a window.
func BenchmarkSubmitDone(b *testing.B) {
	s := newScheduler(b, scheduler.Config{})
	var wg sync.WaitGroup
	done := func(any, error) { wg.Done() }
	var p scheduler.Process = stepFunc(func(_ []scheduler.Event, out *scheduler.Output) error {
		out.Done(nil)
		return nil
	})
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		wg.Add(1)
		if _, err := s.Submit(ctx, p, scheduler.SubmitOptions{OnExit: done}); err != nil {
			b.Fatal(err)
		}
	}
	wg.Wait()
}

// BenchmarkSubmitDoneGoroutine is the rival of BenchmarkSubmitDone.
func BenchmarkSubmitDoneGoroutine(b *testing.B) {
	var wg sync.WaitGroup
	b.ReportAllocs()
	for b.Loop() {
		wg.Add(1)
		go func() { wg.Done() }()
	}
	wg.Wait()
}

type pinger struct {
	peer  *scheduler.Ref
	left  int
	local bool
	done  chan struct{}
}

func (p *pinger) Init(context.Context, string, any) error { return nil }
func (p *pinger) Close()                                  {}
func (p *pinger) Step(events []scheduler.Event, out *scheduler.Output) error {
	for range events {
		if p.left == 0 {
			close(p.done)
			out.Done(nil)
			return nil
		}
		p.left--
		if p.local {
			_ = out.Send(p.peer, nil)
		} else {
			_ = p.peer.Send(nil)
		}
	}
	return nil
}

func benchPingPong(b *testing.B, local bool) {
	s := newScheduler(b, scheduler.Config{})
	b.ReportAllocs()
	for b.Loop() {
		const rounds = 10000
		done := make(chan struct{})
		ping, pong := &pinger{left: rounds, local: local, done: done}, &pinger{left: rounds + 1, local: local}
		r1, r2 := submit(b, s, ping), submit(b, s, pong)
		ping.peer, pong.peer = r2, r1
		_ = r1.Send(nil)
		<-done
		r2.Cancel()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/10000, "ns/roundtrip")
}

// BenchmarkPingPong is S2: two processes answer each other.
func BenchmarkPingPong(b *testing.B) { benchPingPong(b, true) }

// BenchmarkPingPongPlainSend is the same with Ref.Send instead of Output.Send.
func BenchmarkPingPongPlainSend(b *testing.B) { benchPingPong(b, false) }

// BenchmarkPingPongGoroutine is the rival of BenchmarkPingPong.
func BenchmarkPingPongGoroutine(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		const rounds = 10000
		ping, pong := make(chan any), make(chan any)
		go func() {
			for range rounds {
				<-ping
				pong <- nil
			}
		}()
		for range rounds {
			ping <- nil
			<-pong
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/10000, "ns/roundtrip")
}

type faninSender struct {
	to   *scheduler.Ref
	left int
	each int // messages per step
}

func (p *faninSender) Init(context.Context, string, any) error { return nil }
func (p *faninSender) Close()                                  {}
func (p *faninSender) Step(_ []scheduler.Event, out *scheduler.Output) error {
	for range p.each {
		_ = out.Send(p.to, nil)
	}
	if p.left -= p.each; p.left == 0 {
		out.Done(nil)
	} else {
		out.Continue()
	}
	return nil
}

const (
	faninSenders  = 1000
	faninMessages = 100
)

func benchFanIn(b *testing.B, each int) {
	s := newScheduler(b, scheduler.Config{})
	b.ReportAllocs()
	for b.Loop() {
		done := make(chan struct{})
		seen := 0
		target := submit(b, s, stepFunc(func(events []scheduler.Event, out *scheduler.Output) error {
			if seen += len(events); seen == faninSenders*faninMessages {
				close(done)
				out.Done(nil)
			}
			return nil
		}))
		for range faninSenders {
			submit(b, s, &faninSender{to: target, left: faninMessages, each: each})
		}
		<-done
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(faninSenders*faninMessages), "ns/msg")
}

// BenchmarkFanIn is S3: 1000 processes send 100 messages each to one.
func BenchmarkFanIn(b *testing.B) { benchFanIn(b, faninMessages) }

// BenchmarkFanInStepPerMessage is the same, but each message costs a Step of its
// sender: the worst case, with all workers pushing to one queue all the time.
func BenchmarkFanInStepPerMessage(b *testing.B) { benchFanIn(b, 1) }

// BenchmarkFanInGoroutine is the rival of BenchmarkFanIn.
func BenchmarkFanInGoroutine(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		ch := make(chan any, 256)
		for range faninSenders {
			go func() {
				for range faninMessages {
					ch <- nil
				}
			}()
		}
		for range faninSenders * faninMessages {
			<-ch
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(faninSenders*faninMessages), "ns/msg")
}

// BenchmarkSend is a plain Send from outside to a process that keeps up.
func BenchmarkSend(b *testing.B) {
	s := newScheduler(b, scheduler.Config{})
	r := submit(b, s, stepFunc(func([]scheduler.Event, *scheduler.Output) error { return nil }))
	b.ReportAllocs()
	for b.Loop() {
		_ = r.Send(nil)
	}
	r.Cancel()
}

// BenchmarkIdleMemory is S4: bytes per idle process.
func BenchmarkIdleMemory(b *testing.B) {
	const n = 100000
	for b.Loop() {
		s := newScheduler(b, scheduler.Config{})
		var wg sync.WaitGroup
		wg.Add(n)
		refs := make([]*scheduler.Ref, n)
		before := heap()
		for i := range refs {
			refs[i] = submit(b, s, &idler{&wg})
		}
		wg.Wait()
		b.ReportMetric(float64(heap()-before)/n, "B/process")
		for _, r := range refs {
			r.Cancel()
		}
	}
}

// BenchmarkIdleMemoryGoroutine is the rival of BenchmarkIdleMemory: a goroutine
// that waits on its own channel.
func BenchmarkIdleMemoryGoroutine(b *testing.B) {
	const n = 100000
	for b.Loop() {
		var wg, gone sync.WaitGroup
		wg.Add(n)
		chans := make([]chan any, n)
		before := heap()
		for i := range chans {
			chans[i] = make(chan any, 1)
			gone.Go(func() {
				wg.Done()
				<-chans[i]
			})
		}
		wg.Wait()
		b.ReportMetric(float64(heap()-before)/n, "B/process")
		for _, ch := range chans {
			close(ch)
		}
		gone.Wait()
	}
}

type idler struct{ wg *sync.WaitGroup }

func (p *idler) Init(context.Context, string, any) error { return nil }
func (p *idler) Close()                                  {}
func (p *idler) Step([]scheduler.Event, *scheduler.Output) error {
	if p.wg != nil {
		p.wg.Done()
		p.wg = nil
	}
	return nil
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// BenchmarkWakeup is S5: from a Send from outside, while every worker is parked
// and the machine is quiet, until the Step runs. The sender stays awake, so the
// worker needs a thread of its own to be woken.
func BenchmarkWakeup(b *testing.B) {
	s := newScheduler(b, scheduler.Config{})
	workers := runtime.GOMAXPROCS(0)
	var ran atomic.Int64
	epoch := time.Now()
	r := submit(b, s, stepFunc(func(events []scheduler.Event, _ *scheduler.Output) error {
		if len(events) > 0 {
			ran.Store(int64(time.Since(epoch)))
		}
		return nil
	}))
	pause := time.NewTicker(500 * time.Microsecond)
	defer pause.Stop()
	var lat []time.Duration
	for b.Loop() {
		for <-pause.C; s.Stats().Parked < workers; <-pause.C {
		}
		ran.Store(0)
		start := time.Since(epoch)
		_ = r.Send(nil)
		for ran.Load() == 0 {
			if time.Since(epoch)-start > time.Millisecond {
				runtime.Gosched()
			}
		}
		lat = append(lat, time.Duration(ran.Load())-start)
	}
	reportLatency(b, lat)
}

// BenchmarkWakeupGoroutine is the rival of BenchmarkWakeup.
func BenchmarkWakeupGoroutine(b *testing.B) {
	var ran atomic.Int64
	epoch := time.Now()
	ch := make(chan struct{}, 1)
	defer close(ch)
	go func() {
		for range ch {
			ran.Store(int64(time.Since(epoch)))
		}
	}()
	pause := time.NewTicker(500 * time.Microsecond)
	defer pause.Stop()
	var lat []time.Duration
	for b.Loop() {
		<-pause.C
		ran.Store(0)
		start := time.Since(epoch)
		ch <- struct{}{}
		for ran.Load() == 0 {
			if time.Since(epoch)-start > time.Millisecond {
				runtime.Gosched()
			}
		}
		lat = append(lat, time.Duration(ran.Load())-start)
	}
	reportLatency(b, lat)
}

func reportLatency(b *testing.B, lat []time.Duration) {
	slices.Sort(lat)
	b.ReportMetric(float64(lat[len(lat)/2].Nanoseconds())/1e3, "p50-µs")
	b.ReportMetric(float64(lat[len(lat)*99/100].Nanoseconds())/1e3, "p99-µs")
}

// BenchmarkBesideEndlessLoop is S6: message latency while one process is in an
// endless loop, with a worker per processor.
func BenchmarkBesideEndlessLoop(b *testing.B) {
	s := newScheduler(b, scheduler.Config{})
	ran := make(chan time.Time, 1)
	r := submit(b, s, stepFunc(func(events []scheduler.Event, _ *scheduler.Output) error {
		if len(events) > 0 {
			ran <- time.Now()
		}
		return nil
	}))
	hog := submit(b, s, stepFunc(loop))
	var lat []time.Duration
	for b.Loop() {
		start := time.Now()
		_ = r.Send(nil)
		lat = append(lat, (<-ran).Sub(start))
	}
	reportLatency(b, lat)
	start := time.Now()
	_ = hog.Terminate()
	<-hog.Done()
	b.ReportMetric(float64(time.Since(start).Microseconds()), "terminate-µs")
}
