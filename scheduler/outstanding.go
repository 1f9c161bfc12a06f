// SPDX-License-Identifier: Apache-2.0

package scheduler

import "github.com/wippyrun/kit/scheduler/dispatch"

// outstanding are the commands of one process that want to hear of its end: those
// that implement [dispatch.Canceler], were accepted by their handler and have not
// completed. It belongs to whoever has the process in hand, so it needs no lock.
//
// Most processes have none; those that wait usually have one. So it is made when
// the first such command is yielded, holds one without another allocation, and
// goes back to the worker when the last one has completed.
type outstanding struct {
	open  []openCommand
	index map[dispatch.Tag]int // position in open; nil while a search is as fast
	first [1]openCommand       // the array of open to begin with
	next  *outstanding         // in the spare list of a worker
}

type openCommand struct {
	tag    dispatch.Tag
	cancel dispatch.Canceler
}

const (
	// indexAbove is how many open commands are searched one by one. The worst
	// search of 32 takes 50 ns, upkeep of a map 90 ns (BenchmarkOutstanding), and
	// few processes have more.
	indexAbove = 32
	// spareOutstanding limits what a worker keeps for reuse, at 64 bytes each.
	spareOutstanding = 64
)

func (o *outstanding) add(tag dispatch.Tag, c dispatch.Canceler) {
	o.open = append(o.open, openCommand{tag, c})
	switch n := len(o.open); {
	case o.index != nil:
		o.index[tag] = n - 1
	case n > indexAbove:
		o.index = make(map[dispatch.Tag]int, 2*n)
		for i, c := range o.open {
			o.index[c.tag] = i
		}
	}
}

// remove forgets the command with the given tag, if there is one.
func (o *outstanding) remove(tag dispatch.Tag) {
	i := o.find(tag)
	if i < 0 {
		return
	}
	last := len(o.open) - 1
	moved := o.open[last]
	o.open[i] = moved
	o.open[last] = openCommand{}
	o.open = o.open[:last]
	if o.index != nil {
		o.index[moved.tag] = i
		delete(o.index, tag)
	}
}

func (o *outstanding) find(tag dispatch.Tag) int {
	if o.index != nil {
		if i, ok := o.index[tag]; ok {
			return i
		}
		return -1
	}
	// Newest first: what was asked for last is often what completes first.
	for i := len(o.open) - 1; i >= 0; i-- {
		if o.open[i].tag == tag {
			return i
		}
	}
	return -1
}

// track remembers a command that its handler has accepted. A tag that is open
// already breaks the rules of Yield; then the older command is not tracked any more.
func (w *worker) track(r *Ref, tag dispatch.Tag, c dispatch.Canceler) {
	o := r.outstanding
	if o == nil {
		if o = w.spare; o != nil {
			w.spare, o.next = o.next, nil
			w.spares--
		} else {
			o = new(outstanding)
		}
		o.open = o.first[:0]
		r.outstanding = o
	}
	o.remove(tag)
	o.add(tag, c)
}

// completed forgets a command whose outcome r takes.
func (w *worker) completed(r *Ref, tag dispatch.Tag) {
	o := r.outstanding
	o.remove(tag)
	if len(o.open) > 0 {
		return
	}
	r.outstanding = nil
	if w.spares < spareOutstanding {
		o.open, o.index = nil, nil
		o.next, w.spare = w.spare, o
		w.spares++
	}
}

// cancelOutstanding tells the commands of r, which the caller has in hand, that
// nobody waits for them any more, in the order in which they were yielded, as
// far as completions of others have not mixed them up.
func (s *Scheduler) cancelOutstanding(r *Ref) {
	o := r.outstanding
	if o == nil {
		return
	}
	r.outstanding = nil
	for _, c := range o.open {
		s.cancelCommand(r, c.cancel)
	}
}

// cancelCommand contains what a Cancel may do, runtime.Goexit excepted.
func (s *Scheduler) cancelCommand(r *Ref, c dispatch.Canceler) {
	_ = s.guard(r, "cancel", c.Cancel)
}
