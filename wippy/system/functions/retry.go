// SPDX-License-Identifier: Apache-2.0

package functions

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/system/fault"
)

// retryOrder is where the interceptor stands in the chain.
const retryOrder = 20

// Retry returns the interceptor "retry": it repeats failed calls as the call option "retry" says. Calls without
// that option pay one map look-up.
//
// The option is a map: max_attempts counts all attempts (1 or less: no retry), initial_delay and max_delay are
// milliseconds or duration strings (100 ms, 10 s), backoff_factor multiplies the delay before every repetition
// (2), jitter is the fraction a delay may differ by (0.1), retry_kinds and skip_kinds choose by error kind.
// Cancelled calls, errors that say they are not retryable and, unless retry_kinds lists them, the kinds Invalid,
// PermissionDenied and Internal are never repeated. The caller gets the last error.
//
// copyInput makes the arguments of one attempt, because each attempt owns what it gets.
func Retry(copyInput func([]payload.Payload) []payload.Payload) Interceptor {
	return Interceptor{Name: "retry", Order: retryOrder, Wrap: func(next CallFunc) CallFunc {
		return func(ctx context.Context, task Task, done Done) func() {
			policy, ok := parseRetry(task.Options["retry"])
			if !ok {
				return next(ctx, task, done)
			}
			r := &retrying{next: next, copyInput: copyInput, ctx: ctx, task: task, done: done, policy: policy, left: policy.attempts}
			r.attempt()
			return r.cancel
		}
	}}
}

// errCallCanceled is the outcome of a call that is cancelled between two attempts.
var errCallCanceled = fault.Wrap(fault.Canceled, "call canceled", context.Canceled)

// retryPolicy is the decoded option.
type retryPolicy struct {
	attempts     int
	initial, max time.Duration
	factor       float64
	jitter       float64
	only, skip   []string
}

// parseRetry reads the option; false when it asks for no retry.
func parseRetry(option any) (retryPolicy, bool) {
	m, ok := option.(map[string]any)
	if !ok {
		return retryPolicy{}, false
	}
	p := retryPolicy{
		initial: delay(m["initial_delay"], 100*time.Millisecond),
		max:     delay(m["max_delay"], 10*time.Second),
		factor:  2,
		jitter:  0.1,
		only:    words(m["retry_kinds"]),
		skip:    words(m["skip_kinds"]),
	}
	if n, ok := number(m["max_attempts"]); ok && n < math.MaxInt32 {
		p.attempts = int(n)
	}
	if f, ok := number(m["backoff_factor"]); ok && f > 0 {
		p.factor = f
	}
	if j, ok := number(m["jitter"]); ok && j >= 0 {
		p.jitter = min(j, 1)
	}
	return p, p.attempts > 1
}

// delay reads milliseconds or a duration string; what is neither, or not above zero, counts as absent.
func delay(v any, standard time.Duration) time.Duration {
	d := time.Duration(0)
	if text, ok := v.(string); ok {
		d, _ = time.ParseDuration(text) // unreadable text is absent
	} else if ms, ok := number(v); ok {
		d = time.Duration(ms * float64(time.Millisecond))
	}
	if d <= 0 {
		return standard
	}
	return d
}

func number(v any) (float64, bool) {
	switch n := v.(type) {
	case float64:
		return n, n == n
	case int:
		return float64(n), true
	case int64:
		return float64(n), true
	}
	return 0, false
}

func words(v any) []string {
	switch list := v.(type) {
	case []string:
		return list
	case []any:
		var out []string
		for _, item := range list {
			if s, ok := item.(string); ok {
				out = append(out, s)
			}
		}
		return out
	}
	return nil
}

// wants tells whether a call that failed with err may be repeated.
func (p retryPolicy) wants(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	if retryable, known := fault.RetryableOf(err); known && !retryable {
		return false
	}
	kind := string(fault.KindOf(err))
	if kind == "" {
		kind = "Unknown"
	}
	switch {
	case slices.Contains(p.skip, kind), kind == string(fault.Canceled):
		return false
	case len(p.only) > 0:
		return slices.Contains(p.only, kind)
	}
	return kind != string(fault.Invalid) && kind != string(fault.PermissionDenied) && kind != string(fault.Internal)
}

// wait is the time before repetition n, the first being 1.
func (p retryPolicy) wait(n int) time.Duration {
	d := min(float64(p.initial)*math.Pow(p.factor, float64(n)), float64(p.max))
	return time.Duration(d * (1 + p.jitter*(2*rand.Float64()-1)))
}

// retrying is one call with its repetitions. No goroutine waits between them.
type retrying struct {
	next      CallFunc
	copyInput func([]payload.Payload) []payload.Payload
	ctx       context.Context
	task      Task
	done      Done
	policy    retryPolicy

	mu        sync.Mutex
	left      int         // guarded by mu; attempts not started yet
	stop      func()      // guarded by mu; cancels the attempt under way, once it is known
	pending   *time.Timer // guarded by mu; starts the next attempt
	cancelled bool        // guarded by mu
}

func (r *retrying) attempt() {
	r.mu.Lock()
	if r.cancelled {
		r.mu.Unlock()
		r.done(payload.Payload{}, errCallCanceled) // cancel came too late to stop the timer
		return
	}
	r.pending, r.stop = nil, nil
	r.left--
	number, task := r.left, r.task
	r.mu.Unlock()

	if number > 0 {
		task.Input = r.copyInput(task.Input)
	}
	stop := r.next(r.ctx, task, r.ended)

	r.mu.Lock()
	current := r.left == number && r.pending == nil
	if current {
		r.stop = stop
	}
	late := r.cancelled
	r.mu.Unlock()
	if late {
		stop()
	}
}

// ended takes the outcome of one attempt.
func (r *retrying) ended(result payload.Payload, err error) {
	r.mu.Lock()
	if err == nil || r.left <= 0 || r.cancelled || !r.policy.wants(err) {
		r.mu.Unlock()
		r.done(result, err)
		return
	}
	r.stop = nil
	r.pending = time.AfterFunc(r.policy.wait(r.policy.attempts-r.left), r.attempt)
	r.mu.Unlock()
}

// cancel stops the attempt under way, or answers at once while none is.
func (r *retrying) cancel() {
	r.mu.Lock()
	first := !r.cancelled
	r.cancelled = true
	stop := r.stop
	waiting := first && r.pending != nil && r.pending.Stop()
	r.mu.Unlock()
	switch {
	case waiting:
		r.done(payload.Payload{}, errCallCanceled)
	case stop != nil:
		stop()
	}
}
