// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"context"
	"log/slog"
	"sync"

	"github.com/puzpuzpuz/xsync/v3"

	"github.com/wippyrun/kit/mailbox"
)

// Defaults of NewMailboxHost.
const (
	// DefaultMailboxWorkers is the number of workers.
	DefaultMailboxWorkers = 16
	// DefaultMailboxBuffer is the number of messages that may wait for each worker.
	DefaultMailboxBuffer = 1024
)

// MailboxHost is a Host for receivers written in Go. Each message goes to one of
// several workers by a hash of its sender, so the messages of one sender are
// handled one at a time and in order while different senders run in parallel. The
// queues are bounded: Receive waits for room.
//
// Receivers attach under the unique part of a PID. A message for which nobody is
// attached is dropped and logged at debug level.
//
// All methods may be called concurrently. See NewMailboxHost; the zero MailboxHost
// is not usable.
type MailboxHost struct {
	box       *mailbox.Mailbox[*Message]
	receivers *xsync.MapOf[string, *receiver]
	log       *slog.Logger

	// abandoned is closed when Close gives up: workers stop waiting for channels.
	abandoned chan struct{}
	abandon   func()
}

// receiver is one attached function. gone is closed when it is detached.
type receiver struct {
	handle func(*Message)
	gone   chan struct{}
}

// NewMailboxHost makes a mailbox host and starts its workers. Close stops them.
func NewMailboxHost(opts ...MailboxOption) *MailboxHost {
	cfg := mailboxConfig{workers: DefaultMailboxWorkers, buffer: DefaultMailboxBuffer, log: slog.Default()}
	for _, o := range opts {
		cfg = o.applyMailbox(cfg)
	}
	h := &MailboxHost{
		receivers: xsync.NewMapOf[string, *receiver](),
		log:       cfg.log,
		abandoned: make(chan struct{}),
	}
	h.abandon = sync.OnceFunc(func() { close(h.abandoned) })
	h.box = mailbox.New(h.handle, mailbox.Options{
		Workers:   cfg.workers,
		Capacity:  cfg.buffer,
		OnPanic:   h.reportPanic,
		OnDiscard: func(m any) { h.drop(m.(*Message)) },
	})
	return h
}

// Receive queues m for the receiver attached under m.To. It waits while the queue
// of m's sender is full. The error is ErrNilMessage, or ErrStopped once Close began.
func (h *MailboxHost) Receive(m *Message) error {
	if m == nil {
		return ErrNilMessage
	}
	// Close ends the wait, so it needs no context of its own.
	if err := h.box.Send(context.Background(), m.From.Uniq(), m); err != nil {
		return ErrStopped.because(err)
	}
	return nil
}

// Attach makes f receive the messages for pid. It owns each message it is given
// and is called by several workers at a time. The error is ErrAttached or
// ErrNilReceiver.
func (h *MailboxHost) Attach(pid PID, f func(*Message)) error {
	if f == nil {
		return ErrNilReceiver.with("pid", pid.String())
	}
	return h.attach(pid, &receiver{handle: f, gone: make(chan struct{})})
}

// AttachChan makes the messages for pid go to ch, which is never closed. A full
// channel stops the worker of that sender until there is room, the receiver is
// detached, or Close gives up. The error is ErrAttached or ErrNilReceiver.
func (h *MailboxHost) AttachChan(pid PID, ch chan<- *Message) error {
	if ch == nil {
		return ErrNilReceiver.with("pid", pid.String())
	}
	r := &receiver{gone: make(chan struct{})}
	r.handle = func(m *Message) {
		select {
		case ch <- m:
		case <-r.gone:
			h.drop(m)
		case <-h.abandoned:
			h.drop(m)
		}
	}
	return h.attach(pid, r)
}

func (h *MailboxHost) attach(pid PID, r *receiver) error {
	if _, taken := h.receivers.LoadOrStore(pid.Uniq(), r); taken {
		return ErrAttached.with("pid", pid.String())
	}
	return nil
}

// Detach removes the receiver of pid and reports whether there was one. Calls that
// are under way are not waited for.
func (h *MailboxHost) Detach(pid PID) bool {
	r, had := h.receivers.LoadAndDelete(pid.Uniq())
	if had {
		close(r.gone)
	}
	return had
}

// Close refuses new messages, handles those that are queued and stops the workers.
// When ctx ends first, it returns the context's error; messages that wait for a
// channel are then dropped, and the workers end as soon as their receivers let
// them.
func (h *MailboxHost) Close(ctx context.Context) error {
	err := h.box.Close(ctx)
	h.abandon()
	return err
}

// Stats returns the figures of the queue.
func (h *MailboxHost) Stats() mailbox.Stats { return h.box.Stats() }

// handle runs on the workers.
func (h *MailboxHost) handle(m *Message) {
	if r, ok := h.receivers.Load(m.To.Uniq()); ok {
		r.handle(m)
		return
	}
	h.drop(m)
}

// reportPanic logs a panic of a receiver. Its message is left to the collector: how
// far the receiver got with it is unknown.
func (h *MailboxHost) reportPanic(r mailbox.PanicReport) {
	h.log.LogAttrs(context.Background(), slog.LevelError, "relay: receiver panicked",
		slog.Any("panic", r.Value), slog.String("stack", string(r.Stack)))
}

// drop disposes of a message that nobody takes.
func (h *MailboxHost) drop(m *Message) {
	if ctx := context.Background(); h.log.Enabled(ctx, slog.LevelDebug) {
		h.log.LogAttrs(ctx, slog.LevelDebug, "relay: message dropped, no receiver",
			slog.String("to", m.To.String()), slog.String("from", m.From.String()), slog.String("topic", m.Topic))
	}
	m.Release()
}

// MailboxOption changes how NewMailboxHost sets a mailbox host up.
type MailboxOption interface {
	applyMailbox(mailboxConfig) mailboxConfig
}

type mailboxConfig struct {
	workers, buffer int
	log             *slog.Logger
}

type mailboxOption func(mailboxConfig) mailboxConfig

func (o mailboxOption) applyMailbox(c mailboxConfig) mailboxConfig { return o(c) }

// WithMailboxWorkers sets the number of workers, by default DefaultMailboxWorkers.
// More workers let more senders run in parallel and cost a goroutine each. Numbers
// below one mean the default.
func WithMailboxWorkers(n int) MailboxOption {
	return mailboxOption(func(c mailboxConfig) mailboxConfig {
		if n > 0 {
			c.workers = n
		}
		return c
	})
}

// WithMailboxBuffer sets how many messages may wait for each worker before senders
// wait, by default DefaultMailboxBuffer. Numbers below one mean the default.
func WithMailboxBuffer(n int) MailboxOption {
	return mailboxOption(func(c mailboxConfig) mailboxConfig {
		if n > 0 {
			c.buffer = n
		}
		return c
	})
}

// WithMailboxLogger sets where dropped messages and panics of receivers are
// reported, by default the default slog logger at the time of the call of
// NewMailboxHost.
func WithMailboxLogger(l *slog.Logger) MailboxOption {
	return mailboxOption(func(c mailboxConfig) mailboxConfig {
		if l != nil {
			c.log = l
		}
		return c
	})
}
