// SPDX-License-Identifier: Apache-2.0

package terminal

import (
	"sync"

	"github.com/wippyrun/kit/wippy/service/terminal/keys"
)

// reader is one run of an Input, from its start to its stop: a goroutine that reads and one that watches the size.
type reader struct {
	input   *Input
	wakeup  *wakeup
	stopped chan struct{}

	mu   sync.Mutex       // makes deliveries follow each other
	sink func(keys.Event) // guarded by mu; nil after the end
}

func (i *Input) newReader(sink func(keys.Event)) (*reader, error) {
	w, err := newWakeup()
	if err != nil {
		return nil, err
	}
	return &reader{input: i, wakeup: w, stopped: make(chan struct{}), sink: sink}, nil
}

// end makes the goroutines end. Nothing is delivered any more.
func (r *reader) end() {
	r.mu.Lock()
	r.sink = nil
	r.mu.Unlock()
	close(r.stopped)
	r.wakeup.wake()
}

func (r *reader) deliver(e keys.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sink != nil {
		r.sink(e)
	}
}

// read decodes input until the end. It has its turn all the time, so that nobody else takes keys away; what it has not
// decoded at the end is left to the next reader.
func (r *reader) read() {
	defer r.wakeup.close()
	stdin, turn := r.input.stdin, r.input.turn
	if !turn.Take(r.stopped) {
		return
	}
	defer turn.Leave()
	var decoder keys.Decoder
	buf := make([]byte, readSize)
	for {
		if stdin.Buffered() == 0 {
			switch r.wakeup.wait(r.input, decoder.Pending()) {
			case quiet:
				decoder.Flush(r.deliver)
				continue
			case woken:
				return
			}
		}
		select {
		case <-r.stopped:
			return
		default:
		}
		n, err := stdin.Read(buf)
		decoder.Feed(buf[:n], r.deliver)
		if err != nil {
			return // the terminal is gone
		}
	}
}

// watch tells of changes of the size, which was told last, until the end.
func (r *reader) watch(width, height int) {
	changes, stop := sizeChanges()
	defer stop()
	for {
		if w, h, err := r.input.Size(); err == nil && (w != width || h != height) {
			width, height = w, h
			r.deliver(keys.Event{Type: keys.Resize, Width: w, Height: h})
		}
		select {
		case <-r.stopped:
			return
		case <-changes:
		}
	}
}

// What the wait for input ended with.
type arrival int

const (
	ready arrival = iota // there is input
	quiet                // nothing came for escapeDelay
	woken                // the reader shall end
)
