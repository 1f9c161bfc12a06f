// SPDX-License-Identifier: Apache-2.0

package text

import (
	"html"
	"strings"
	"time"
	"unicode/utf8"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/internal/call"
)

const (
	// maxCompared is the longest text that is compared, in bytes. Comparing takes some 25 bytes of memory for each of them.
	maxCompared = 4 << 20
	// maxTimeout is how long a comparison looks for the smallest number of edits when its time is not limited.
	maxTimeout = time.Minute
)

const comparedTooLong = "texts to compare may have at most 4194304 bytes"

// differ is what is behind a Differ object. It is immutable.
type differ struct {
	timeout         time.Duration
	editCost        int
	matchThreshold  float64
	matchDistance   int
	deleteThreshold float64
	margin          int
}

func buildDiff(b *engine.Builder) {
	class := b.Type("Differ", map[string]lua.LGFunction{
		"compare":     compare,
		"summarize":   summarize,
		"pretty_text": prettyText,
		"pretty_html": prettyHTML,
		"patch_make":  patchMake,
		"patch_apply": patchApply,
	}, nil)
	b.Table("diff").Func("new", func(L *lua.LState) int {
		return call.Value(L, class.New(newDiffer(call.Table(L, 1))))
	})
}

// newDiffer reads the options, which may be nil. Those of a wrong type or out of range do not count.
func newDiffer(t *lua.LTable) differ {
	d := differ{
		timeout: time.Second, editCost: 4, matchThreshold: 0.5, matchDistance: 1000, deleteThreshold: 0.5, margin: 4,
	}
	if t == nil {
		return d
	}
	if seconds, ok := number(t, "diff_timeout"); ok && seconds >= 0 {
		d.timeout = time.Duration(min(seconds, maxTimeout.Seconds()) * float64(time.Second))
	}
	for name, value := range map[string]*float64{
		"match_threshold": &d.matchThreshold, "patch_delete_threshold": &d.deleteThreshold,
	} {
		if f, ok := number(t, name); ok && f >= 0 {
			*value = f
		}
	}
	for name, option := range map[string]struct {
		value *int
		limit int
	}{
		"diff_edit_cost": {&d.editCost, 1 << 20},
		"match_distance": {&d.matchDistance, 100_000},
		"patch_margin":   {&d.margin, maxMargin},
	} {
		if f, ok := number(t, name); ok && f >= 1 {
			*option.value = whole(f, option.limit)
		}
	}
	return d
}

// deadline is when a comparison that begins now has to end.
func (d differ) deadline() time.Time {
	timeout := d.timeout
	if timeout == 0 {
		timeout = maxTimeout
	}
	return time.Now().Add(timeout)
}

// noText is added to a byte that is no part of a character. The sum is no character either.
const noText = utf8.MaxRune + 1

// characters takes text apart, so that nothing of it is lost.
func characters(s string) []rune {
	out := make([]rune, 0, len(s))
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 {
			r = noText + rune(s[0])
		}
		out = append(out, r)
		s = s[n:]
	}
	return out
}

// text is the opposite of characters.
func text(runes []rune) string {
	var b strings.Builder
	b.Grow(len(runes))
	for _, r := range runes {
		if r >= noText {
			b.WriteByte(byte(r - noText))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// compare implements differ:compare(a, b).
func compare(L *lua.LState) int {
	d := engine.Check[differ](L, 1, "Differ")
	a, b := L.CheckString(2), L.CheckString(3)
	if len(a) > maxCompared || len(b) > maxCompared {
		return call.Invalid(L, comparedTooLong)
	}
	edits := compareTexts(engine.From(L).Context(), characters(a), characters(b), d.deadline())
	t := engine.NewArray(len(edits))
	for i, e := range edits {
		item := engine.NewObject(2)
		item.RawSetString("operation", lua.LString(e.op.String()))
		item.RawSetString("text", lua.LString(text(e.text)))
		t.RawSetInt(i+1, item)
	}
	return call.Value(L, t)
}

// item is one part of a comparison as a program gives it back.
type item struct{ operation, text string }

// items reads the table of argument 2. What is no table in it does not count.
func items(L *lua.LState) []item {
	engine.Check[differ](L, 1, "Differ")
	t := engine.Unwrap(L.CheckTable(2))
	out := make([]item, 0, t.Len())
	for i := 1; i <= t.Len(); i++ {
		part, ok := t.RawGetInt(i).(*lua.LTable)
		if !ok {
			continue
		}
		part = engine.Unwrap(part)
		out = append(out, item{
			operation: lua.LVAsString(part.RawGetString("operation")),
			text:      lua.LVAsString(part.RawGetString("text")),
		})
	}
	return out
}

func summarize(L *lua.LState) int {
	counts := map[string]int{}
	for _, it := range items(L) {
		counts[it.operation] += len(it.text)
	}
	t := engine.NewObject(3)
	t.RawSetString("insertions", lua.LNumber(counts[insertion.String()]))
	t.RawSetString("deletions", lua.LNumber(counts[deletion.String()]))
	t.RawSetString("equals", lua.LNumber(counts[equal.String()]))
	return answer(L, t)
}

func prettyText(L *lua.LState) int {
	return pretty(L, map[string][2]string{
		deletion.String():  {"\x1b[31m", "\x1b[0m"},
		insertion.String(): {"\x1b[32m", "\x1b[0m"},
	}, func(s string) string { return s })
}

// inHTML makes text visible as it is, with its line breaks.
var inHTML = strings.NewReplacer("\n", "&para;<br>")

func prettyHTML(L *lua.LState) int {
	return pretty(L, map[string][2]string{
		deletion.String():  {`<del style="background:#ffe6e6;">`, "</del>"},
		insertion.String(): {`<ins style="background:#e6ffe6;">`, "</ins>"},
		equal.String():     {"<span>", "</span>"},
	}, func(s string) string { return inHTML.Replace(html.EscapeString(s)) })
}

// pretty writes each part between the marks of its operation. A part with an unknown operation is an equal one.
func pretty(L *lua.LState, marks map[string][2]string, write func(string) string) int {
	var b strings.Builder
	for _, it := range items(L) {
		mark, ok := marks[it.operation]
		if !ok {
			mark = marks[equal.String()]
		}
		b.WriteString(mark[0])
		b.WriteString(write(it.text))
		b.WriteString(mark[1])
		if b.Len() > maxReplaced {
			L.RaiseError("resulting string too large")
		}
	}
	return call.Value(L, lua.LString(b.String()))
}
