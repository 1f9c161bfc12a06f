// SPDX-License-Identifier: Apache-2.0

package logger_test

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/wippyrun/kit/wippy/lua/logger"
	"github.com/wippyrun/kit/wippy/lua/luatest"
)

// recorder keeps the records it is given, as text.
type recorder struct {
	level slog.Level
	mu    sync.Mutex
	lines []string // guarded by mu
}

func (r *recorder) Enabled(_ context.Context, l slog.Level) bool { return l >= r.level }
func (r *recorder) WithAttrs([]slog.Attr) slog.Handler           { panic("not used") }
func (r *recorder) WithGroup(string) slog.Handler                { panic("not used") }

func (r *recorder) Handle(_ context.Context, rec slog.Record) error {
	var b strings.Builder
	b.WriteString(rec.Level.String() + " " + rec.Message)
	rec.Attrs(func(a slog.Attr) bool {
		b.WriteString(" " + a.String())
		return true
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, b.String())
	return nil
}

func run(t *testing.T, level slog.Level, body string) []string {
	t.Helper()
	r := &recorder{level: level}
	s := luatest.New(t, func(s *luatest.System) { s.Register(logger.Module(slog.New(r))) })
	s.Check(t, body)
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lines
}

func TestRecords(t *testing.T) {
	const start = " pid={app:processes|0x00001} location=app:test:1"
	for _, c := range []struct{ name, body, want string }{
		{"levels", `logger:debug("d")`, "DEBUG d" + start},
		{"info", `logger:info("i")`, "INFO i" + start},
		{"warn", `logger:warn("w")`, "WARN w" + start},
		{"number as message", `logger:info(12)`, "INFO 12" + start},
		{"fields are sorted", `logger:info("i", { b = true, a = 1, c = "x", d = 1.5, [1] = "skipped" })`,
			"INFO i" + start + " a=1 b=true c=x d=1.5"},
		{"nested", `logger:info("i", { list = { 1, "b" }, map = { k = 1 } })`, "INFO i" + start + " list=[1 b] map=map[k:1]"},
		{"error object", `logger:info("i", { e = errors.new("boom") })`, "INFO i" + start + " e=boom"},
		{"error field comes first", `logger:error("e", { a = 1, error = errors.new("boom") })`, "ERROR e" + start + " error=boom a=1"},
		{"with", `logger:with({ k = 1 }):info("i", { a = 2 })`, "INFO i" + start + " k=1 a=2"},
		{"named", `logger:named("a"):named("b"):info("i")`, "INFO i" + start + " logger=a.b"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := run(t, slog.LevelDebug, c.body); !slices.Equal(got, []string{c.want}) {
				t.Errorf("got %q\nwant %q", got, c.want)
			}
		})
	}
}

func TestErrorFieldLeavesTheTable(t *testing.T) {
	run(t, slog.LevelDebug, `local f = { error = "bad", a = 1 } logger:error("e", f) assert(f.error == nil and f.a == 1)`)
}

func TestSelfContainingField(t *testing.T) {
	got := run(t, slog.LevelInfo, `local t = {} t.me = t logger:info("i", { t = t })`)
	if len(got) != 1 || !strings.Contains(got[0], "…") {
		t.Errorf("got %q", got)
	}
}

func TestLevelOff(t *testing.T) {
	if got := run(t, slog.LevelWarn, `logger:debug("d") logger:info("i") logger:warn("w")`); len(got) != 1 {
		t.Errorf("got %q, want only the warning", got)
	}
}

func TestBadArguments(t *testing.T) {
	run(t, slog.LevelInfo, `
		for _, call in ipairs({
			function() logger:info({}) end,
			function() logger:info("i", nil) end,
			function() logger:info("i", 1) end,
			function() logger:with(1) end,
			function() logger:named("") end,
			function() logger.info({}, "i") end,
		}) do
			assert(not pcall(call))
		end
		local ok, err = pcall(function() logger:named("") end)
		assert(string.find(err, "name cannot be empty"), err)`)
}
