// SPDX-License-Identifier: Apache-2.0

package process_test

import (
	"sync"
	"testing"
	"time"

	"github.com/wippyrun/kit/benchmarks/process"
)

func goroutinesPingPong(b *testing.B) process.Batch {
	there, back := make(chan any), make(chan any)
	b.Cleanup(func() { close(there) })
	go func() {
		for m := range there {
			back <- m
		}
	}()
	return process.Timed(func() {
		for range process.Rounds {
			there <- ball
			<-back
		}
	})
}

func goroutinesRing(b *testing.B) process.Batch {
	first := make(chan any)
	b.Cleanup(func() { close(first) })
	in := first
	for range process.RingSize - 1 {
		out := make(chan any)
		go func(in <-chan any, out chan<- any) {
			defer close(out)
			for m := range in {
				out <- m
			}
		}(in, out)
		in = out
	}
	return process.Timed(func() {
		for range process.Laps {
			first <- ball
			<-in
		}
	})
}

func goroutinesFanIn(b *testing.B) process.Batch {
	inbox := make(chan any, 256)
	starts := make([]chan struct{}, process.Senders)
	for i := range starts {
		start := make(chan struct{}, 1)
		starts[i] = start
		b.Cleanup(func() { close(start) })
		go func() {
			for range start {
				for range process.Each {
					inbox <- ball
				}
			}
		}()
	}
	return process.Timed(func() {
		for _, start := range starts {
			start <- struct{}{}
		}
		for range process.Senders * process.Each {
			<-inbox
		}
	})
}

func goroutinesFanOut(b *testing.B) process.Batch {
	answers := make(chan any, 256)
	inboxes := make([]chan any, process.Receivers)
	for i := range inboxes {
		inbox := make(chan any, process.Deliveries)
		inboxes[i] = inbox
		b.Cleanup(func() { close(inbox) })
		go func() {
			got := 0
			for range inbox {
				if got++; got == process.Deliveries {
					got = 0
					answers <- ball
				}
			}
		}()
	}
	return process.Timed(func() {
		var heard sync.WaitGroup
		heard.Go(func() {
			for range inboxes {
				<-answers
			}
		})
		for range process.Deliveries {
			for _, inbox := range inboxes {
				inbox <- ball
			}
		}
		heard.Wait()
	})
}

func goroutinesSend(b *testing.B) process.Batch {
	inbox, done := make(chan any, 256), make(chan struct{}, 1)
	b.Cleanup(func() { close(inbox) })
	go func() {
		seen := 0
		for range inbox {
			if seen++; seen == process.Sends {
				seen = 0
				done <- struct{}{}
			}
		}
	}()
	return process.Timed(func() {
		for range process.Sends {
			inbox <- ball
		}
		<-done
	})
}

func goroutinesSpawnDone(*testing.B) process.Batch {
	var running sync.WaitGroup
	return process.Timed(func() {
		running.Add(process.Spawns)
		for range process.Spawns {
			go func() { running.Done() }()
		}
		running.Wait()
	})
}

func goroutinesSpawnInTurn(*testing.B) process.Batch {
	ended := make(chan struct{})
	return process.Timed(func() {
		for range process.Spawns {
			go func() { ended <- struct{}{} }()
			<-ended
		}
	})
}

func goroutinesTree(b *testing.B) process.Batch {
	var grow func(sum chan<- int, first, leaves int)
	grow = func(sum chan<- int, first, leaves int) {
		if leaves == 1 {
			sum <- first
			return
		}
		sums := make(chan int)
		for i := range process.Branches {
			each := leaves / process.Branches
			go grow(sums, first+i*each, each)
		}
		total := 0
		for range process.Branches {
			total += <-sums
		}
		sum <- total
	}
	return process.Timed(func() {
		root := make(chan int)
		go grow(root, 0, process.Leaves)
		if sum := <-root; sum != process.TreeSum {
			b.Fatalf("the tree added up to %d, not %d", sum, process.TreeSum)
		}
	})
}

// goroutinesTimers waits for the channel of a timer, as code does that can be
// interrupted meanwhile.
func goroutinesTimers(b *testing.B) process.Batch {
	var running sync.WaitGroup
	inboxes := make([]chan any, process.TimerProcesses)
	for i := range inboxes {
		inbox := make(chan any, 1)
		inboxes[i] = inbox
		b.Cleanup(func() { close(inbox) })
		go func() {
			timer := time.NewTimer(process.TimerPeriod)
			defer timer.Stop()
			for range inbox {
				for range process.Firings {
					timer.Reset(process.TimerPeriod)
					<-timer.C
				}
				running.Done()
			}
		}()
	}
	return process.Timed(func() {
		running.Add(len(inboxes))
		for _, inbox := range inboxes {
			inbox <- ball
		}
		running.Wait()
	})
}
