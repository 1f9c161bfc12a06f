// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"os"

	"github.com/wippyrun/kit/relay/payload"
)

// Printer receives what print writes: one text per call, with the process and
// the place ("ns:name:line") it was called from. It is called on the worker that
// runs the process and must not block for long.
type Printer func(p *Process, location, text string)

// Option changes how New sets an engine up.
type Option interface{ apply(config) config }

type optionFunc func(config) config

func (f optionFunc) apply(c config) config { return f(c) }

type config struct {
	printer     Printer
	transcoder  *payload.Transcoder
	stackDepth  int
	maxRegister int
	maxString   int
	maxHeap     uint64
	maxProcess  uint64
	budget      int
}

// The defaults of the limits. stackFrames is the depth of one thread's call
// stack. It is small because every idle process pays for it; deeper calls go on
// in another thread, see deep.go.
const (
	stackFrames = 96

	defaultDepth    = 16000
	defaultRegister = 1 << 18
	defaultString   = 64 << 20
	defaultBudget   = 256
)

func newConfig(opts []Option) config {
	c := config{
		printer:     func(_ *Process, _, text string) { _, _ = os.Stdout.WriteString(text) },
		stackDepth:  defaultDepth,
		maxRegister: defaultRegister,
		maxString:   defaultString,
		budget:      defaultBudget,
	}
	for _, o := range opts {
		c = o.apply(c)
	}
	if c.transcoder == nil {
		c.transcoder = payload.NewDefault()
	}
	return c
}

// WithPrinter sets where print writes. Without it the text goes to standard
// output as it is, without a newline.
func WithPrinter(p Printer) Option {
	return optionFunc(func(c config) config { c.printer = p; return c })
}

// WithTranscoder sets the transcoder behind payload objects. The engine adds its
// Lua conversions to it. The default is payload.NewDefault().
func WithTranscoder(t *payload.Transcoder) Option {
	return optionFunc(func(c config) config { c.transcoder = t; return c })
}

// WithStackDepth bounds how deep Lua functions may call each other before the
// error "stack overflow", counted in frames, 16 000 by default. A frame costs
// about 250 bytes while it lasts.
func WithStackDepth(frames int) Option {
	return optionFunc(func(c config) config { c.stackDepth = max(frames, stackFrames); return c })
}

// WithMaxString bounds the strings that string.rep and the like build, 64 MiB by
// default.
func WithMaxString(bytes int) Option {
	return optionFunc(func(c config) config { c.maxString = bytes; return c })
}

// WithMaxProcess bounds the memory that one process keeps alive (see
// Process.MemoryUse). A process that has more fails with the error "not enough
// memory" (kind LimitExceeded), which a program cannot catch. Processes are measured
// after garbage collections that leave more than that alive, while they run; the
// heap may grow to twice as much and one value more before. 0, the default, sets no
// bound.
func WithMaxProcess(bytes uint64) Option {
	return optionFunc(func(c config) config { c.maxProcess = bytes; return c })
}

// WithMaxHeap bounds the memory of the Go heap, whoever fills it. While a garbage
// collection leaves more than that alive, each process that runs and has more than
// 1 MiB fails with the error "not enough memory" (kind LimitExceeded). 0, the
// default, leaves the heap to the garbage collector.
func WithMaxHeap(bytes uint64) Option {
	return optionFunc(func(c config) config { c.maxHeap = bytes; return c })
}

// WithStepBudget bounds how many coroutines one Step resumes before the process
// goes to the back of the scheduler's queue, 256 by default.
func WithStepBudget(resumes int) Option {
	return optionFunc(func(c config) config { c.budget = max(resumes, 1); return c })
}
