// SPDX-License-Identifier: Apache-2.0

package soak

import (
	"io/fs"
	"strings"
	"testing"
	"time"
)

func samples(of func(i int) sample) []sample {
	list := make([]sample, 30)
	for i := range list {
		list[i] = of(i)
	}
	return list
}

func TestGrowthIsFound(t *testing.T) {
	for name, tt := range map[string]struct {
		of   func(i int) sample
		want string
	}{
		"level":         {func(int) sample { return sample{20 << 20, 30, 12} }, ""},
		"saw":           {func(i int) sample { return sample{(20 + 40*(i%3)) << 20, 30 + i%5, 12 + i%4} }, ""},
		"warms up":      {func(i int) sample { return sample{(10 + min(i, 4)) << 20, 30, 12} }, ""},
		"heap":          {func(i int) sample { return sample{(20 + i) << 20, 30, 12} }, "heap grows"},
		"goroutines":    {func(i int) sample { return sample{20 << 20, 30 + 2*i, 12} }, "goroutines grows"},
		"files":         {func(i int) sample { return sample{20 << 20, 30, 12 + i} }, "open files grows"},
		"too few looks": {nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			l := &life{done: 1}
			if tt.of != nil {
				l.samples = samples(tt.of)
			}
			l.judge()
			got := strings.Join(l.problems, "; ")
			if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("problems are %q, want %q", got, tt.want)
			}
		})
	}
}

func TestTheLogIsUnderstood(t *testing.T) {
	l := &life{ready: make(chan struct{})}
	l.read(strings.NewReader(`{"msg":"listening","address":"127.0.0.1:4711"}
not JSON
{"msg":"soak is ready","generation":2}
{"msg":"soak goes on","done":7,"generation":3}
{"msg":"VIOLATION: order","detail":"[1,2]"}
{"msg":"VIOLATION: order","detail":"[1,2]"}
fatal error: all goroutines are asleep
`))
	select {
	case <-l.ready:
	default:
		t.Error("not ready")
	}
	if l.address != "127.0.0.1:4711" || l.done != 7 || l.first != 2 || l.generation != 3 {
		t.Errorf("%+v", l)
	}
	if len(l.problems) != 2 || !strings.HasPrefix(l.problems[0], "VIOLATION: order [1,2]") {
		t.Errorf("problems are %q", l.problems)
	}
}

func TestReadyIsWhatListensAndSaysSo(t *testing.T) {
	const said, listens = `{"msg":"soak is ready"}`, `{"msg":"listening","address":"127.0.0.1:4711"}`
	for _, tt := range []struct {
		log  []string
		want bool
	}{
		{[]string{said}, false}, {[]string{listens}, false},
		{[]string{said, said, listens, listens, said}, true}, {[]string{listens, said, said, listens}, true},
	} {
		l := &life{ready: make(chan struct{})}
		l.read(strings.NewReader(strings.Join(tt.log, "\n")))
		select {
		case <-l.ready:
			if !tt.want {
				t.Errorf("ready after %v", tt.log)
			}
		default:
			if tt.want {
				t.Errorf("not ready after %v", tt.log)
			}
		}
	}
}

func TestLostReloadsAreAProblem(t *testing.T) {
	c := campaign{lives: []*life{{isReady: true, generation: 7}}}
	for _, tt := range []struct {
		first int
		want  string
	}{{7, "ok"}, {9, "ok"}, {6, "1 problems"}} {
		l := &life{isReady: true, first: tt.first}
		if c.follow(l); l.word() != tt.want {
			t.Errorf("a life that begins with %d: %q", tt.first, l.problems)
		}
	}
}

func TestNothingDoneIsAProblem(t *testing.T) {
	l := &life{loaded: time.Minute}
	l.judge()
	if l.word() != "1 problems" {
		t.Error(l.problems)
	}
}

func TestTheApplicationIsComplete(t *testing.T) {
	dir := t.TempDir()
	if err := unpack(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := fs.Stat(app, "app/src/_index.yaml"); err != nil {
		t.Error(err)
	}
}
