// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"flag"
	"fmt"
	"sync"
	"testing"
)

// The protocol by which workers fall asleep and are woken (search, park and sees in
// worker.go; ready, wake and wakeOne in ready.go), as a transition system whose
// steps are the atomic operations of the code. The test visits every state that
// any interleaving can reach and looks at those in which nobody can move: then all
// work must be done, or a wake-up was lost.
//
// Left out is what only makes a worker do more: the monitor, spares, SetWorkers.
// Where the code decides by a heuristic, the model takes both ways.

const modelWorkers = 2

// parkingState is a state of the whole system; comparable, so that it is its own
// key.
type parkingState struct {
	global            int8
	inject, deque     [modelWorkers]int8
	parkedState       [modelWorkers]bool // worker.state is workerParked
	token             [modelWorkers]bool // something is in worker.wakeup
	parked, searching int8
	threads           [modelWorkers + 3]modelThread
	done              int8 // processes that were run
}

// modelThread is where a worker or a producer is.
type modelThread struct {
	pc       modelPC
	back     modelPC // where wakeOne returns to
	at       int8    // worker index of a loop
	round    int8
	have     int8 // processes in hand: one to run, the others to queue
	searches bool
	affinity int8 // producers: the worker to inject into, -1 for the global queue
}

type modelPC int8

const (
	pcEnd modelPC = iota // a producer that is through

	// A worker.
	pcSearch
	pcCount
	pcOwnInject
	pcOwnDeque
	pcGlobal
	pcSteal
	pcStealInject
	pcEndSearch
	pcFoundEnd
	pcFoundMore
	pcRun
	pcPark
	pcAnnounce
	pcSeesGlobal
	pcSeesInject
	pcSeesDeques
	pcStayAwake
	pcStayAwakeCount
	pcSleep

	// A producer.
	pcPush
	pcLookAtWorker
	pcWake
	pcWakeCount
	pcWakeSearching
	pcWakeToken

	// wakeOne, called by producers and workers.
	pcOneParked
	pcOneClaim
	pcOneWorker
	pcOneCount
	pcOneToken
	pcOneUndo
	pcOneAgain
)

const modelRounds = 2 // one that leaves the inject queues of others alone, one that does not

// parkingModel is the protocol, or one of its mutants.
type parkingModel struct {
	noRecheck bool // park does not look again after announcing
	noUndo    bool // wakeOne does not look again after claiming for nothing
	wakeFirst bool // producers wake before they push
}

// next returns the states that one step of thread i leads to, none if it cannot move.
func (m parkingModel) next(s parkingState, i int) []parkingState {
	t := &s.threads[i]
	w := i // a worker's index
	goTo := func(pc modelPC) []parkingState { t.pc = pc; return []parkingState{s} }
	found := func(n int8) []parkingState {
		t.have = n
		t.at = 0
		return goTo(pcFoundEnd)
	}
	switch t.pc {
	case pcSearch:
		if t.searches {
			t.round = 0
			return goTo(pcOwnInject)
		}
		alone := s // does not join the search, looks at its own queues only
		alone.threads[i].round = modelRounds
		alone.threads[i].pc = pcOwnInject
		return append(goTo(pcCount), alone)
	case pcCount:
		s.searching++
		t.searches, t.round = true, 0
		return goTo(pcOwnInject)
	case pcOwnInject: // unload
		s.deque[w] += s.inject[w]
		s.inject[w] = 0
		return goTo(pcOwnDeque)
	case pcOwnDeque:
		if s.deque[w] > 0 {
			s.deque[w]--
			return found(1)
		}
		return goTo(pcGlobal)
	case pcGlobal:
		if n := s.global; n > 0 {
			s.global = 0
			return found(n)
		}
		if !t.searches {
			return goTo(pcPark)
		}
		return goTo(pcSteal)
	case pcSteal:
		v := 1 - w
		if n := (s.deque[v] + 1) / 2; n > 0 {
			s.deque[v] -= n
			return found(n)
		}
		if t.round == modelRounds-1 {
			return goTo(pcStealInject)
		}
		t.round++
		return goTo(pcOwnInject)
	case pcStealInject:
		v := 1 - w
		if n := s.inject[v]; n > 0 {
			s.inject[v] = 0
			return found(n)
		}
		return goTo(pcEndSearch)
	case pcEndSearch:
		t.searches = false
		s.searching--
		return goTo(pcPark)
	case pcFoundEnd:
		s.deque[w] += t.have - 1
		t.have = 1
		if !t.searches {
			return goTo(pcRun)
		}
		t.searches = false
		s.searching--
		return goTo(pcFoundMore)
	case pcFoundMore:
		if s.global > 0 {
			t.back = pcRun
			return goTo(pcOneParked)
		}
		return goTo(pcRun)
	case pcRun:
		t.have, t.round = 0, 0
		s.done++
		return goTo(pcSearch)

	case pcPark:
		s.parked++
		return goTo(pcAnnounce)
	case pcAnnounce:
		s.parkedState[w] = true
		if m.noRecheck {
			return goTo(pcSleep)
		}
		return goTo(pcSeesGlobal)
	case pcSeesGlobal:
		if s.global > 0 {
			return goTo(pcStayAwake)
		}
		return goTo(pcSeesInject)
	case pcSeesInject:
		if s.inject[w] > 0 {
			return goTo(pcStayAwake)
		}
		return goTo(pcSeesDeques)
	case pcSeesDeques:
		if s.deque[1-w] > 0 {
			return goTo(pcStayAwake)
		}
		return goTo(pcSleep)
	case pcStayAwake:
		if !s.parkedState[w] {
			return goTo(pcSleep) // somebody wakes it already
		}
		s.parkedState[w] = false
		return goTo(pcStayAwakeCount)
	case pcStayAwakeCount:
		s.parked--
		t.round = 0
		return goTo(pcSearch)
	case pcSleep:
		if !s.token[w] {
			return nil
		}
		s.token[w] = false
		t.searches = true
		return goTo(pcSearch)

	case pcPush:
		if t.affinity < 0 {
			s.global++
			if m.wakeFirst {
				return goTo(pcEnd)
			}
			t.back = pcEnd
			return goTo(pcOneParked)
		}
		s.inject[t.affinity]++
		if m.wakeFirst {
			return goTo(pcEnd)
		}
		return goTo(pcLookAtWorker)
	case pcLookAtWorker:
		if !s.parkedState[t.affinity] {
			return goTo(m.afterWake())
		}
		return goTo(pcWake)
	case pcWake:
		if !s.parkedState[t.affinity] {
			return goTo(m.afterWake())
		}
		s.parkedState[t.affinity] = false
		return goTo(pcWakeCount)
	case pcWakeCount:
		s.parked--
		return goTo(pcWakeSearching)
	case pcWakeSearching:
		s.searching++
		return goTo(pcWakeToken)
	case pcWakeToken:
		s.token[t.affinity] = true
		return goTo(m.afterWake())

	case pcOneParked:
		if s.parked <= 0 {
			return goTo(t.back)
		}
		return goTo(pcOneClaim)
	case pcOneClaim:
		if s.searching != 0 {
			return goTo(t.back)
		}
		s.searching = 1
		t.at = 0
		return goTo(pcOneWorker)
	case pcOneWorker:
		if t.at == modelWorkers {
			return goTo(pcOneUndo)
		}
		if !s.parkedState[t.at] {
			t.at++
			return goTo(pcOneWorker)
		}
		s.parkedState[t.at] = false
		return goTo(pcOneCount)
	case pcOneCount:
		s.parked--
		return goTo(pcOneToken)
	case pcOneToken:
		s.token[t.at] = true
		t.at = 0
		return goTo(t.back)
	case pcOneUndo:
		s.searching--
		t.at = 0
		if m.noUndo {
			return goTo(t.back)
		}
		return goTo(pcOneAgain)
	case pcOneAgain:
		if s.global == 0 {
			return goTo(t.back)
		}
		return goTo(pcOneParked)
	}
	return nil
}

func (m parkingModel) afterWake() modelPC {
	if m.wakeFirst {
		return pcPush
	}
	return pcEnd
}

// explore visits every reachable state and returns how many there are, and the
// first one it finds in which nobody moves although something is wrong.
func (m parkingModel) explore(start parkingState, work int8) (states int, stuck string) {
	seen := map[parkingState]bool{start: true}
	todo := []parkingState{start}
	for len(todo) > 0 {
		s := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		moved := false
		for i := range s.threads {
			for _, next := range m.next(s, i) {
				moved = true
				if !seen[next] {
					seen[next] = true
					todo = append(todo, next)
				}
			}
		}
		if !moved && (s.done != work || s.searching != 0 || s.parked != modelWorkers) {
			return len(seen), fmt.Sprintf("%+v", s)
		}
	}
	return len(seen), ""
}

// start returns the state in which the workers look for work and one producer is
// about to start for each affinity.
func (m parkingModel) start(affinities ...int8) parkingState {
	var s parkingState
	for i := range modelWorkers {
		s.threads[i] = modelThread{pc: pcSearch}
	}
	for i, a := range affinities {
		pc := pcPush
		if m.wakeFirst && a >= 0 {
			pc = pcLookAtWorker
		}
		s.threads[modelWorkers+i] = modelThread{pc: pc, affinity: a}
	}
	return s
}

var allParking = flag.Bool("parking.all", false, "visit the states of three producers as well: 20 million, a minute")

// parking visits the states once per run of the test program, however often the
// tests are repeated: nothing about it is random.
var parking = sync.OnceValue(func() (problems []string) {
	producers := [][]int8{{-1}, {0}, {0, 0}, {0, 1}}
	if !RaceEnabled { // nothing here runs concurrently; it would only be slow
		producers = append(producers, []int8{-1, 0}, []int8{-1, -1})
	}
	if *allParking {
		producers = append(producers, []int8{0, 0, 1}, []int8{-1, 0, 1}, []int8{-1, -1, 0}, []int8{-1, -1, -1})
	}
	for _, affinities := range producers {
		var m parkingModel
		if _, stuck := m.explore(m.start(affinities...), int8(len(affinities))); stuck != "" {
			problems = append(problems, fmt.Sprintf("producers %v: nobody moves in %s", affinities, stuck))
		}
	}
	return problems
})

func TestParkingLosesNoWakeUpInAnyInterleaving(t *testing.T) {
	for _, problem := range parking() {
		t.Error(problem)
	}
}

// TestParkingModelNoticesLostWakeUps leaves out what guards against lost wake-ups,
// to see that the search above can fail, and that none of it is superfluous.
func TestParkingModelNoticesLostWakeUps(t *testing.T) {
	for name, tc := range map[string]struct {
		model     parkingModel
		producers []int8
	}{
		"no second look before sleeping":        {parkingModel{noRecheck: true}, []int8{0}},
		"wake first, then push":                 {parkingModel{wakeFirst: true}, []int8{0}},
		"no second look after claiming in vain": {parkingModel{noUndo: true}, []int8{-1, -1}},
	} {
		if RaceEnabled && len(tc.producers) > 1 {
			continue
		}
		work := int8(len(tc.producers))
		if _, stuck := tc.model.explore(tc.model.start(tc.producers...), work); stuck == "" {
			t.Errorf("%s: no work was lost", name)
		}
	}
}
