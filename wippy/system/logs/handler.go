// SPDX-License-Identifier: Apache-2.0

package logs

import (
	"context"
	"io"
	"log/slog"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"
)

// NameKey is the attribute whose string value is the name of the logger, its parts joined by dots.
const NameKey = "logger"

// Format is how records are written.
type Format uint8

// The formats.
const (
	// Console is for people and for grep: tab-separated columns, no colours.
	Console Format = iota
	// Color is for people at a terminal: seconds since the start, coloured level and name.
	Color
	// JSON is one object per line.
	JSON
)

// ParseFormat returns the format of that name: console, color or json.
func ParseFormat(name string) (f Format, ok bool) {
	switch strings.ToLower(name) {
	case "", "console":
		return Console, true
	case "color":
		return Color, true
	case "json":
		return JSON, true
	}
	return Console, false
}

// HandlerOptions change how [NewHandler] writes.
type HandlerOptions struct {
	// Level is the lowest level that is written, nil for slog.LevelInfo.
	Level slog.Leveler
	// Stacks adds the stack of the caller to records of slog.LevelError and above.
	Stacks bool
	// Start is what Color counts seconds from; the zero time means now.
	Start time.Time

	_ struct{}
}

// handler writes records in one of the formats. It is immutable; all copies share out.
type handler struct {
	out    *output
	format Format
	level  slog.Leveler
	stacks bool
	start  time.Time

	name    string
	fields  []byte   // members formatted by WithAttrs, groups left open
	open    int      // groups open in fields
	pending []string // groups without a member yet: left out when they stay empty
}

// output serialises writes.
type output struct {
	mu sync.Mutex
	w  io.Writer
}

// NewHandler returns a handler that writes to w. A record whose writing fails is lost: the error is returned
// to slog, which ignores it.
func NewHandler(w io.Writer, f Format, o HandlerOptions) slog.Handler {
	if o.Level == nil {
		o.Level = slog.LevelInfo
	}
	if o.Start.IsZero() {
		o.Start = time.Now()
	}
	return &handler{out: &output{w: w}, format: f, level: o.Level, stacks: o.Stacks, start: o.Start}
}

// Enabled implements slog.Handler.
func (h *handler) Enabled(_ context.Context, l slog.Level) bool { return l >= h.level.Level() }

// WithAttrs implements slog.Handler.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := *h
	c.fields = h.fields[:len(h.fields):len(h.fields)]
	for _, a := range attrs {
		if name, ok := nameOf(a); ok && c.open == 0 && len(c.pending) == 0 {
			c.name = name
			continue
		}
		c.fields, c.open, c.pending = appendOpening(c.fields, c.open, c.pending, a)
	}
	return &c
}

// WithGroup implements slog.Handler.
func (h *handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	c := *h
	c.pending = append(h.pending[:len(h.pending):len(h.pending)], name)
	return &c
}

// appendOpening appends a, opening the pending groups unless a turns out to be empty.
func appendOpening(b []byte, open int, pending []string, a slog.Attr) ([]byte, int, []string) {
	before := len(b)
	for _, g := range pending {
		b = append(appendKey(b, g), '{')
	}
	inside := len(b)
	b = appendAttr(b, a)
	if len(b) == inside {
		return b[:before], open, pending
	}
	return b, open + len(pending), nil
}

// nameOf returns the name of the logger if that is what a holds.
func nameOf(a slog.Attr) (string, bool) {
	if a.Key != NameKey || a.Value.Kind() != slog.KindString {
		return "", false
	}
	return a.Value.String(), true
}

// buffers are what records are formatted in.
var buffers = sync.Pool{New: func() any { return new(buffer) }}

type buffer struct{ line, fields []byte }

// maxPooled keeps the memory of one huge record from being kept for ever.
const maxPooled = 16 << 10

// Handle implements slog.Handler.
func (h *handler) Handle(_ context.Context, r slog.Record) error {
	buf := buffers.Get().(*buffer)
	fields := append(buf.fields[:0], '{')
	fields = append(fields, h.fields...)
	name, open, pending := h.name, h.open, h.pending
	r.Attrs(func(a slog.Attr) bool {
		if n, ok := nameOf(a); ok && open == 0 && len(pending) == 0 {
			name = n
			return true
		}
		fields, open, pending = appendOpening(fields, open, pending, a)
		return true
	})
	for range open {
		fields = append(fields, '}')
	}
	if h.format == JSON && h.stacks && r.Level >= slog.LevelError {
		fields = appendString(appendKey(fields, "stack"), stack())
	}
	fields = append(fields, '}')

	b := buf.line[:0]
	switch h.format {
	case JSON:
		b = appendJSONRecord(b, r, name, fields)
	case Color:
		b = appendColorRecord(b, r, h.start, name, fields)
	default:
		b = appendConsoleRecord(b, r, name, fields)
	}
	if h.format != JSON && h.stacks && r.Level >= slog.LevelError {
		b = append(b, '\n')
		b = append(b, stack()...)
	}
	b = append(b, '\n')

	h.out.mu.Lock()
	_, err := h.out.w.Write(b)
	h.out.mu.Unlock()
	if cap(b)+cap(fields) <= maxPooled {
		buf.line, buf.fields = b, fields
		buffers.Put(buf)
	}
	return err
}

// stack returns the stack of the code that logs, without the logging itself.
func stack() string {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	var b strings.Builder
	for {
		f, more := frames.Next()
		if !strings.HasPrefix(f.Function, "log/slog.") && !strings.Contains(f.Function, "/system/logs.") {
			if b.Len() > 0 {
				b.WriteByte('\n')
			}
			b.WriteString(f.Function + "\n\t" + f.File + ":" + strconv.Itoa(f.Line))
		}
		if !more {
			return b.String()
		}
	}
}
