// SPDX-License-Identifier: Apache-2.0

package logs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/wippyrun/kit/wippy/system/logs"
)

func TestMain(m *testing.M) {
	time.Local = time.FixedZone("test", 3600)
	goleak.VerifyTestMain(m)
}

var at = time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)

// record is the record every format test writes.
func record(level slog.Level, msg string, attrs ...slog.Attr) slog.Record {
	r := slog.NewRecord(at, level, msg, 0)
	r.AddAttrs(attrs...)
	return r
}

// write returns what the handler that make returns writes for r.
func write(t *testing.T, f logs.Format, derive func(slog.Handler) slog.Handler, r slog.Record) string {
	t.Helper()
	var out bytes.Buffer
	h := logs.NewHandler(&out, f, logs.HandlerOptions{Level: slog.LevelDebug, Start: at.Add(-1500 * time.Millisecond)})
	if derive != nil {
		h = derive(h)
	}
	if err := h.Handle(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

type stringer struct{}

func (stringer) String() string { return "text" }

type panicker struct{}

func (*panicker) Error() string               { panic("no") }
func (panicker) MarshalJSON() ([]byte, error) { panic("never") }

func TestFormats(t *testing.T) {
	named := func(h slog.Handler) slog.Handler {
		return h.WithAttrs([]slog.Attr{slog.String("logger", "a.b"), slog.Int("n", 1)})
	}
	for _, tc := range []struct {
		name   string
		format logs.Format
		derive func(slog.Handler) slog.Handler
		record slog.Record
		want   string
	}{
		{"console", logs.Console, named, record(slog.LevelInfo, "hello", slog.String("s", "x\ty")),
			"2026-01-02 04:04:05\tINFO\ta.b\thello\t{\"n\":1,\"s\":\"x\\ty\"}\n"},
		{"console bare", logs.Console, nil, record(slog.LevelWarn, "hello"), "2026-01-02 04:04:05\tWARN\thello\n"},
		{"console name in record", logs.Console, named, record(slog.LevelDebug, "m", slog.String("logger", "c")),
			"2026-01-02 04:04:05\tDEBUG\tc\tm\t{\"n\":1}\n"},
		{"console control characters", logs.Console, nil, record(slog.LevelError, "a\nb\x1b[31m\"é\""),
			"2026-01-02 04:04:05\tERROR\ta\\nb\\u001b[31m\"é\"\n"},
		{"color", logs.Color, named, record(slog.LevelInfo, "hello"),
			"  1.50s \x1b[36mINFO \x1b[0m \x1b[34ma.b         \x1b[0m hello \x1b[90m{\"n\":1}\x1b[0m\n"},
		{"color error", logs.Color, nil, record(slog.LevelError, "x"),
			"  1.50s \x1b[31mERROR\x1b[0m \x1b[34m            \x1b[0m x\n"},
		{"json", logs.JSON, named, record(slog.LevelInfo, "hello", slog.Bool("ok", true)),
			`{"ts":"2026-01-02T03:04:05.678Z","level":"info","logger":"a.b","msg":"hello","n":1,"ok":true}` + "\n"},
		{"json bare", logs.JSON, nil, record(slog.LevelError+1, "x"), `{"ts":"2026-01-02T03:04:05.678Z","level":"error+1","msg":"x"}` + "\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := write(t, tc.format, tc.derive, tc.record); got != tc.want {
				t.Errorf("got  %q\nwant %q", got, tc.want)
			}
		})
	}
}

func TestFieldValues(t *testing.T) {
	cycle := map[string]any{}
	cycle["self"] = cycle
	for _, tc := range []struct {
		name string
		attr slog.Attr
		want string
	}{
		{"int", slog.Int("k", -7), `{"k":-7}`},
		{"uint", slog.Uint64("k", 1<<63), `{"k":9223372036854775808}`},
		{"float", slog.Float64("k", 1.5), `{"k":1.5}`},
		{"whole float", slog.Float64("k", 3), `{"k":3}`},
		{"nan", slog.Any("k", nan()), `{"k":"NaN"}`},
		{"duration", slog.Duration("k", 1500*time.Millisecond), `{"k":"1.5s"}`},
		{"time", slog.Time("k", at), `{"k":"2026-01-02T03:04:05.678Z"}`},
		{"error", slog.Any("k", errors.New("bo\"om")), `{"k":"bo\"om"}`},
		{"stringer", slog.Any("k", stringer{}), `{"k":"text"}`},
		{"nil", slog.Any("k", nil), `{"k":null}`},
		{"map", slog.Any("k", map[string]any{"b": []any{1, "x", nil, true, 2.5}, "a": map[string]any{}}), `{"k":{"a":{},"b":[1,"x",null,true,2.5]}}`},
		{"strings", slog.Any("k", []string{"a", "b"}), `{"k":["a","b"]}`},
		{"struct", slog.Any("k", struct {
			A int `json:"a"`
		}{1}), `{"k":{"a":1}}`},
		{"unmarshalable", slog.Any("k", []any{make(chan int)}), ""},
		{"panicking error", slog.Any("k", error((*panicker)(nil))), ""},
		{"panicking marshaler", slog.Any("k", panicker{}), ""},
		{"cycle", slog.Any("k", cycle), ""},
		{"group", slog.Group("g", slog.Int("a", 1), slog.Group("h", slog.Int("b", 2))), `{"g":{"a":1,"h":{"b":2}}}`},
		{"empty group", slog.Group("g", slog.Group("h")), ``},
		{"inline group", slog.Group("", slog.Int("a", 1)), `{"a":1}`},
		{"zero attr", slog.Attr{}, ``},
		{"log valuer", slog.Any("k", valuer{}), `{"k":"resolved"}`},
		{"control", slog.String("k", "\x00\x1f\x7f\u0085\u2028\xff\\"), `{"k":"\u0000\u001f\u007f\u0085\u2028\ufffd\\"}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			line := strings.TrimSuffix(write(t, logs.Console, nil, record(slog.LevelInfo, "m", tc.attr)), "\n")
			got := strings.TrimPrefix(strings.TrimPrefix(line, "2026-01-02 04:04:05\tINFO\tm"), "\t")
			if got != "" && !json.Valid([]byte(got)) {
				t.Errorf("not JSON: %s", got)
			}
			if tc.want != "" && got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}

type valuer struct{}

func (valuer) LogValue() slog.Value { return slog.StringValue("resolved") }

func nan() float64 { zero := 0.0; return zero / zero }

func TestGroupsOfHandlers(t *testing.T) {
	attr := func(k string) []slog.Attr { return []slog.Attr{slog.Int(k, 1)} }
	for _, tc := range []struct {
		name   string
		derive func(slog.Handler) slog.Handler
		attrs  []slog.Attr
		want   string
	}{
		{"nested", func(h slog.Handler) slog.Handler {
			return h.WithAttrs(attr("a")).WithGroup("g").WithAttrs(attr("b")).WithGroup("h")
		}, attr("c"), `{"a":1,"g":{"b":1,"h":{"c":1}}}`},
		{"empty inner", func(h slog.Handler) slog.Handler {
			return h.WithAttrs(attr("a")).WithGroup("g").WithAttrs(attr("b")).WithGroup("h")
		}, nil, `{"a":1,"g":{"b":1}}`},
		{"all empty", func(h slog.Handler) slog.Handler { return h.WithGroup("g").WithGroup("h") }, nil, ``},
		{"empty group as attribute", func(h slog.Handler) slog.Handler { return h.WithGroup("g") },
			[]slog.Attr{slog.Group("x"), slog.Int("c", 1)}, `{"g":{"c":1}}`},
		{"no name", func(h slog.Handler) slog.Handler { return h.WithGroup("") }, attr("c"), `{"c":1}`},
		{"logger inside a group is a field", func(h slog.Handler) slog.Handler { return h.WithGroup("g") },
			[]slog.Attr{slog.String("logger", "x")}, `{"g":{"logger":"x"}}`},
		{"siblings", func(h slog.Handler) slog.Handler {
			first := h.WithAttrs(attr("a"))
			_ = first.WithAttrs(attr("other"))
			return first.WithAttrs(attr("b"))
		}, nil, `{"a":1,"b":1}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			line := write(t, logs.JSON, tc.derive, record(slog.LevelInfo, "m", tc.attrs...))
			got := strings.TrimPrefix(strings.TrimSuffix(line, "\n"), `{"ts":"2026-01-02T03:04:05.678Z","level":"info","msg":"m"`)
			want := "}"
			if tc.want != "" {
				want = "," + strings.TrimPrefix(tc.want, "{")
			}
			if got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func TestStacksOfErrors(t *testing.T) {
	for _, f := range []logs.Format{logs.Console, logs.JSON} {
		var out bytes.Buffer
		log := slog.New(logs.NewHandler(&out, f, logs.HandlerOptions{Stacks: true}))
		log.Warn("no stack")
		if strings.Contains(out.String(), "testing.tRunner") {
			t.Errorf("a warning has a stack: %s", out.String())
		}
		log.Error("stack")
		if got := out.String(); !strings.Contains(got, "TestStacksOfErrors") || strings.Contains(got, "log/slog.(") {
			t.Errorf("stack: %s", got)
		}
	}
}

// lineWriter fails the test unless every Write is one whole line.
type lineWriter struct {
	t     *testing.T
	lines []string
}

func (w *lineWriter) Write(b []byte) (int, error) {
	if bytes.Count(b, []byte("\n")) != 1 || b[len(b)-1] != '\n' {
		w.t.Errorf("write of %q", b)
	}
	w.lines = append(w.lines, string(b))
	return len(b), nil
}

func TestRecordsAreNotMixedConcurrentSafe(t *testing.T) {
	w := &lineWriter{t: t}
	log := slog.New(logs.NewHandler(w, logs.JSON, logs.HandlerOptions{}))
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			own := log.With("g", g).WithGroup("x")
			for i := range 200 {
				own.Info("m", "i", i)
			}
		})
	}
	wg.Wait()
	if len(w.lines) != 800 {
		t.Errorf("%d lines", len(w.lines))
	}
	for _, line := range w.lines {
		if !json.Valid([]byte(line)) {
			t.Fatalf("not JSON: %s", line)
		}
	}
}

func TestPlainRecordAllocatesNothing(t *testing.T) {
	log := slog.New(logs.NewHandler(discard{}, logs.Console, logs.HandlerOptions{})).With(logs.NameKey, "a", "b", 1)
	ctx := context.Background()
	if n := testing.AllocsPerRun(1000, func() {
		log.LogAttrs(ctx, slog.LevelInfo, "message", slog.String("k", "v"), slog.Int("n", 3), slog.Bool("ok", true))
	}); n > 0 && !raceEnabled {
		t.Errorf("a record allocates %v times", n)
	}
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }

func TestParseFormat(t *testing.T) {
	for name, want := range map[string]logs.Format{"": logs.Console, "console": logs.Console, "JSON": logs.JSON, "color": logs.Color} {
		if got, ok := logs.ParseFormat(name); !ok || got != want {
			t.Errorf("ParseFormat(%q) = %v, %v", name, got, ok)
		}
	}
	if _, ok := logs.ParseFormat("xml"); ok {
		t.Error("xml is no format")
	}
	if got := logs.Red("x"); got != "\x1b[31mx\x1b[0m" {
		t.Errorf("Red: %q", got)
	}
}

func ExampleManager() {
	m := logs.New(os.Stdout, logs.Options{Format: logs.JSON})
	h := m.Logger().With(logs.NameKey, "registry").Handler()
	_ = h.Handle(context.Background(), slog.NewRecord(time.Time{}, slog.LevelInfo, "loaded", 0))
	fmt.Println(m.Config())
	// Output:
	// {"level":"info","logger":"registry","msg":"loaded"}
	// {true false -1}
}
