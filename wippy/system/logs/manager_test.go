// SPDX-License-Identifier: Apache-2.0

package logs_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/slogtest"
	"time"

	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/logs"
)

// bus records what is published.
type bus struct {
	mu     sync.Mutex
	events []event
}

type event struct {
	kind, path string
	data       any
}

func (b *bus) Publish(system, kind, path string, data any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if system != "logs" {
		panic("system " + system)
	}
	b.events = append(b.events, event{kind, path, data})
}

// streamed returns the messages of the streamed records.
func (b *bus) streamed() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []string
	for _, e := range b.events {
		if s, ok := e.data.(*logs.Streamed); ok {
			out = append(out, s.Entry.Message)
		}
	}
	return out
}

func TestConfigDecidesWhereRecordsGo(t *testing.T) {
	for _, tc := range []struct {
		name             string
		level            slog.Level
		config           logs.Config
		silent           bool
		written, streams string
	}{
		{"default", slog.LevelDebug, logs.DefaultConfig(), false, "debug info warn error", ""},
		{"logger level", slog.LevelInfo, logs.DefaultConfig(), false, "info warn error", ""},
		{"min level", slog.LevelDebug, logs.Config{PropagateDownstream: true, MinLevel: 1}, false, "warn error", ""},
		{"min level does not filter the stream", slog.LevelDebug, logs.Config{PropagateDownstream: true, StreamToEvents: true, MinLevel: 2}, false, "error", "debug info warn error"},
		{"stream only", slog.LevelInfo, logs.Config{StreamToEvents: true}, false, "", "info warn error"},
		{"nothing", slog.LevelDebug, logs.Config{}, false, "", ""},
		{"silent streams", slog.LevelInfo, logs.Config{PropagateDownstream: true, StreamToEvents: true}, true, "", "info warn error"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var out bytes.Buffer
			b := &bus{}
			m := logs.New(&out, logs.Options{Level: tc.level, Config: &tc.config, Publisher: b, Silent: tc.silent})
			log := m.Logger()
			for _, l := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
				log.Log(t.Context(), l, strings.ToLower(l.String()))
				text := strings.ToLower(l.String())
				if want := strings.Contains(tc.written+tc.streams, text); log.Enabled(t.Context(), l) != want {
					t.Errorf("Enabled(%s) is not %v", l, want)
				}
			}
			var written []string
			for line := range strings.Lines(out.String()) {
				written = append(written, strings.TrimSpace(line[strings.LastIndexByte(line, '\t')+1:]))
			}
			if got := strings.Join(written, " "); got != tc.written {
				t.Errorf("written %q, want %q", got, tc.written)
			}
			if got := strings.Join(b.streamed(), " "); got != tc.streams {
				t.Errorf("streamed %q, want %q", got, tc.streams)
			}
		})
	}
}

func TestRecordsAreCountedByLevel(t *testing.T) {
	m := logs.New(&bytes.Buffer{}, logs.Options{Level: slog.LevelDebug, SampleFirst: 2, SampleThereafter: 1000})
	log := m.Logger().With("a", 1)
	for range 5 {
		log.Info("flood")
	}
	log.Log(t.Context(), slog.LevelDebug, "d")
	log.Log(t.Context(), slog.LevelWarn+1, "w")
	log.Log(t.Context(), slog.LevelError+100, "e")
	want := map[slog.Level]uint64{slog.LevelDebug: 1, slog.LevelInfo: 2, slog.LevelWarn: 1, slog.LevelError: 1}
	if got := m.Emitted(); !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestLevelChangesAtRunTime(t *testing.T) {
	m := logs.New(discard{}, logs.Options{})
	if m.Logger().Enabled(t.Context(), slog.LevelDebug) {
		t.Error("debug is on")
	}
	m.Level().Set(slog.LevelDebug)
	if !m.Logger().Enabled(t.Context(), slog.LevelDebug) {
		t.Error("debug is off")
	}
}

func TestTemporaryConfigurations(t *testing.T) {
	m := logs.New(discard{}, logs.Options{Publisher: &bus{}})
	base := m.Config()
	restoreOuter := m.Hide()
	if got, want := m.Config(), (logs.Config{MinLevel: -1, StreamToEvents: true}); got != want {
		t.Errorf("hidden: %+v", got)
	}
	restoreInner := m.Push(logs.Config{MinLevel: 2})
	changed := logs.Config{PropagateDownstream: true, MinLevel: 1}
	m.Set(changed)
	if got := m.Config().MinLevel; got != 2 {
		t.Errorf("the base is in effect under a temporary configuration: %d", got)
	}
	restoreOuter()
	restoreOuter()
	if got := m.Config().MinLevel; got != 2 {
		t.Errorf("taking the outer one back changed the inner one: %d", got)
	}
	restoreInner()
	if got := m.Config(); got != changed || got == base {
		t.Errorf("at the end: %+v", got)
	}
}

func TestConfigurationByEvents(t *testing.T) {
	for _, tc := range []struct {
		name string
		kind string
		data any
		want logs.Config
		err  string
	}{
		{"get", "logs.config.get", nil, logs.DefaultConfig(), ""},
		{"set", "logs.config.set", map[string]any{"stream_to_events": true, "min_level": 2.0}, logs.Config{PropagateDownstream: true, StreamToEvents: true, MinLevel: 2}, ""},
		{"set all", "logs.config.set", map[string]any{"propagate_downstream": false, "stream_to_events": false, "min_level": 1}, logs.Config{MinLevel: 1}, ""},
		{"set int64", "logs.config.set", map[string]any{"min_level": int64(0)}, logs.Config{PropagateDownstream: true}, ""},
		{"set value", "logs.config.set", logs.Config{MinLevel: 1}, logs.Config{MinLevel: 1}, ""},
		{"set pointer", "logs.config.set", &logs.Config{MinLevel: 1}, logs.Config{MinLevel: 1}, ""},
		{"unknown field", "logs.config.set", map[string]any{"level": 1}, logs.DefaultConfig(), "invalid log configuration field: level"},
		{"wrong type", "logs.config.set", map[string]any{"min_level": "info"}, logs.DefaultConfig(), "invalid log configuration field: min_level"},
		{"fraction", "logs.config.set", map[string]any{"min_level": 0.5}, logs.DefaultConfig(), "invalid log configuration field: min_level"},
		{"not a boolean", "logs.config.set", map[string]any{"stream_to_events": 1}, logs.DefaultConfig(), "invalid log configuration field: stream_to_events"},
		{"not a map", "logs.config.set", "x", logs.DefaultConfig(), "log configuration must be a map"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := &bus{}
			m := logs.New(discard{}, logs.Options{Publisher: b})
			err := m.HandleEvent(tc.kind, "request-7", tc.data)
			if (err == nil) != (tc.err == "") || err != nil && (err.Error() != tc.err || fault.KindOf(err) != fault.Invalid) {
				t.Errorf("error %v, want %q", err, tc.err)
			}
			if got := m.Config(); got != tc.want {
				t.Errorf("configuration %+v, want %+v", got, tc.want)
			}
			if want := []event{{"logs.config.state", "request-7", tc.want}}; !reflect.DeepEqual(b.events, want) {
				t.Errorf("answer %+v", b.events)
			}
		})
	}
	b := &bus{}
	if err := logs.New(discard{}, logs.Options{Publisher: b}).HandleEvent("logs.entry", "", nil); err != nil || len(b.events) != 0 {
		t.Errorf("another event: %v, %v", err, b.events)
	}
	if err := logs.New(discard{}, logs.Options{}).HandleEvent("logs.config.get", "", nil); err != nil {
		t.Errorf("without a publisher: %v", err)
	}
}

func TestStreamedRecord(t *testing.T) {
	b := &bus{}
	m := logs.New(discard{}, logs.Options{Publisher: b, Config: &logs.Config{StreamToEvents: true}})
	log := m.Logger().With(logs.NameKey, "app.worker", "n", 1).WithGroup("g").With("s", "x").WithGroup("")
	log.Warn("hello", "u", uint64(2), "f", 1.5, "ok", true, "no", false, "d", time.Second, "t", at, "e", errors.New("boom"),
		"m", map[string]any{"k": 1}, slog.Group("h", slog.Int("i", 3)), slog.Group("", slog.Int("j", 4)))
	if len(b.events) != 1 {
		t.Fatalf("events %+v", b.events)
	}
	e := b.events[0]
	s := e.data.(*logs.Streamed)
	if e.kind != "logs.entry" || e.path != "app.worker" || s.Entry.LoggerName != "app.worker" || s.Entry.Level != 1 ||
		s.Entry.Message != "hello" || s.Entry.Time == 0 || !strings.Contains(s.Entry.Caller, "manager_test.go:") {
		t.Errorf("event %+v, entry %+v", e, s.Entry)
	}
	want := []logs.Field{
		{Key: "n", Type: logs.IntField, Int: 1},
		{Key: "g.s", Type: logs.StringField, String: "x"},
		{Key: "g.u", Type: logs.UintField, Int: 2},
		{Key: "g.f", Type: logs.FloatField, String: "1.5", Int: 0x3ff8000000000000},
		{Key: "g.ok", Type: logs.BoolField, Int: 1},
		{Key: "g.no", Type: logs.BoolField},
		{Key: "g.d", Type: logs.DurationField, Int: 1e9},
		{Key: "g.t", Type: logs.TimeField, Int: at.UnixNano()},
		{Key: "g.e", Type: logs.ErrorField, String: "boom"},
		{Key: "g.m", Type: logs.ObjectField, String: `{"k":1}`},
		{Key: "g.h.i", Type: logs.IntField, Int: 3},
		{Key: "g.j", Type: logs.IntField, Int: 4},
	}
	if !reflect.DeepEqual(s.Fields, want) {
		t.Errorf("fields\n%+v\nwant\n%+v", s.Fields, want)
	}
	m.Logger().Debug("below the level of the logger")
	m.Logger().Info("named", logs.NameKey, "late")
	if last := b.events[len(b.events)-1]; len(b.events) != 2 || last.path != "late" {
		t.Errorf("last event %+v", last)
	}
	if log := m.Logger(); log.Handler() != m.Handler() {
		t.Error("Handler is not what loggers use")
	}
}

func TestSamplingKeepsErrorsAndNewSeconds(t *testing.T) {
	var out bytes.Buffer
	m := logs.New(&out, logs.Options{SampleFirst: 3, SampleThereafter: 10})
	write := func(second int64, level slog.Level, msg string, n int) int {
		out.Reset()
		for range n {
			r := slog.NewRecord(time.Unix(second, 0), level, msg, 0)
			_ = m.Handler().Handle(context.Background(), r)
		}
		return strings.Count(out.String(), "\n")
	}
	for _, tc := range []struct {
		name   string
		second int64
		level  slog.Level
		msg    string
		n      int
		want   int
	}{
		{"first ones", 1, slog.LevelInfo, "flood", 3, 3},
		{"then every tenth", 1, slog.LevelInfo, "flood", 100, 10},
		{"another message", 1, slog.LevelInfo, "other", 2, 2},
		{"next second", 2, slog.LevelInfo, "flood", 13, 4},
		{"errors", 2, slog.LevelError, "flood", 50, 50},
	} {
		if got := write(tc.second, tc.level, tc.msg, tc.n); got != tc.want {
			t.Errorf("%s: %d written, want %d", tc.name, got, tc.want)
		}
	}
}

// TestHandlerConformance runs the checks of the standard library.
func TestHandlerConformance(t *testing.T) {
	var out bytes.Buffer
	slogtest.Run(t, func(t *testing.T) slog.Handler {
		out.Reset()
		return logs.New(&out, logs.Options{Format: logs.JSON}).Handler()
	}, func(t *testing.T) map[string]any {
		return parseLine(t, out.Bytes())
	})
}

func BenchmarkRecord(b *testing.B) {
	ctx := context.Background()
	for _, tc := range []struct {
		name string
		h    slog.Handler
	}{
		{"console", logs.NewHandler(discard{}, logs.Console, logs.HandlerOptions{})},
		{"color", logs.NewHandler(discard{}, logs.Color, logs.HandlerOptions{})},
		{"json", logs.NewHandler(discard{}, logs.JSON, logs.HandlerOptions{})},
		{"manager", logs.New(discard{}, logs.Options{}).Handler()},
		{"slog.JSONHandler", slog.NewJSONHandler(discard{}, nil)},
		{"slog.TextHandler", slog.NewTextHandler(discard{}, nil)},
	} {
		b.Run(tc.name, func(b *testing.B) {
			log := slog.New(tc.h).With(logs.NameKey, "app.worker", "pid", "{app:processes|0x00001}")
			b.ReportAllocs()
			for b.Loop() {
				log.LogAttrs(ctx, slog.LevelInfo, "request handled", slog.String("path", "/api/users"), slog.Int("status", 200), slog.Duration("took", 1500*time.Microsecond))
			}
		})
	}
}

func BenchmarkDisabled(b *testing.B) {
	ctx := context.Background()
	log := logs.New(discard{}, logs.Options{}).Logger()
	b.ReportAllocs()
	for b.Loop() {
		log.LogAttrs(ctx, slog.LevelDebug, "nothing")
	}
}
