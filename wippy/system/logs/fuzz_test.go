// SPDX-License-Identifier: Apache-2.0

package logs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"github.com/wippyrun/kit/wippy/system/logs"
)

// FuzzFields writes hostile messages, keys and values: a record stays one line and its fields stay JSON that says what
// was logged.
func FuzzFields(f *testing.F) {
	f.Add("message", "key", "value", "group")
	f.Add("a\nb\tc\r", "\"", "\\\x00\x1b[31m\u2028", "{")
	f.Add("", "", "", "")
	f.Add("\xff\xfe", "k\xff", "日本\u0085", "g.g")
	f.Fuzz(func(t *testing.T, msg, key, value, group string) {
		for _, format := range []logs.Format{logs.Console, logs.Color, logs.JSON} {
			var out bytes.Buffer
			h := logs.NewHandler(&out, format, logs.HandlerOptions{})
			h = h.WithAttrs([]slog.Attr{slog.String("pre"+key, value)}).WithGroup(group)
			r := slog.NewRecord(at, slog.LevelInfo, msg, 0)
			r.AddAttrs(slog.String("x"+key, value), slog.Any("m", map[string]any{key: []any{value, 1.5, nil}}))
			if err := h.Handle(context.Background(), r); err != nil {
				t.Fatal(err)
			}
			line, ok := strings.CutSuffix(out.String(), "\n")
			if !ok || strings.ContainsAny(line, "\n\r\x00") {
				t.Fatalf("not one line: %q", out.String())
			}
			if format == logs.Color {
				continue
			}
			if format == logs.Console {
				line = line[strings.LastIndexByte(line, '\t')+1:]
			}
			var got map[string]any
			if err := json.Unmarshal([]byte(line), &got); err != nil {
				t.Fatalf("fields %q: %v", line, err)
			}
			clean := strings.ToValidUTF8(value, "\ufffd")
			if v, ok := got["pre"+valid(key)].(string); ok && valid(v) != valid(clean) && len([]rune(v)) != len([]rune(value)) {
				t.Fatalf("value %q is read as %q", value, v)
			}
		}
	})
}

// valid replaces each invalid byte, as encoding/json does.
func valid(s string) string { return string([]rune(s)) }

// parseLine reads a JSON record under the names the standard library uses.
func parseLine(t *testing.T, line []byte) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(line, &m); err != nil {
		t.Fatalf("line %q: %v", line, err)
	}
	if ts, ok := m["ts"]; ok {
		m[slog.TimeKey] = ts
		delete(m, "ts")
	}
	return m
}
