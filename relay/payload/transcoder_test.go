// SPDX-License-Identifier: Apache-2.0

package payload_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/wippyrun/kit/relay/payload"
)

// trace is a conversion that appends the name of its target to the data, so
// that the result tells the path taken.
func trace(to payload.Format) func(any) (any, error) {
	return func(v any) (any, error) { return fmt.Sprint(v, ">", to), nil }
}

func path(t *testing.T, tc *payload.Transcoder, from, to payload.Format) string {
	t.Helper()
	p, err := tc.Transcode(payload.Payload{Format: from, Data: string(from)}, to)
	if err != nil {
		t.Fatalf("%s to %s: %v", from, to, err)
	}
	if p.Format != to {
		t.Fatalf("result has format %s, want %s", p.Format, to)
	}
	return p.Data.(string)
}

func TestTranscodeTakesTheCheapestPath(t *testing.T) {
	tc := payload.NewTranscoder()
	for _, e := range []struct {
		from, to payload.Format
		cost     int
	}{{"a", "b", 5}, {"b", "d", 5}, {"a", "c", 1}, {"c", "d", 1}, {"a", "d", 9}} {
		tc.Register(e.from, e.to, e.cost, trace(e.to))
	}
	if got := path(t, tc, "a", "d"); got != "a>c>d" {
		t.Errorf("path = %s", got)
	}
}

func TestTranscodeTieGoesToFewerConversions(t *testing.T) {
	tc := payload.NewTranscoder()
	tc.Register("a", "b", 1, trace("b"))
	tc.Register("b", "c", 1, trace("c"))
	tc.Register("c", "d", 1, trace("d"))
	tc.Register("a", "x", 1, trace("x"))
	tc.Register("x", "d", 2, trace("d"))
	if got := path(t, tc, "a", "d"); got != "a>x>d" {
		t.Errorf("path = %s", got)
	}
	tc.Register("a", "d", 3, trace("d"))
	if got := path(t, tc, "a", "d"); got != "a>d" {
		t.Errorf("path after Register = %s", got)
	}
}

func TestRegisterReplacesAndRecomputesCachedPaths(t *testing.T) {
	tc := payload.NewTranscoder()
	tc.Register("a", "b", 1, trace("b"))
	if got := path(t, tc, "a", "b"); got != "a>b" {
		t.Errorf("path = %s", got)
	}
	tc.Register("a", "b", 1, func(any) (any, error) { return "new", nil })
	if got := path(t, tc, "a", "b"); got != "new" {
		t.Errorf("after replacing: %s", got)
	}
	if got := tc.Formats(); !slices.Equal(got, []payload.Format{"a", "b"}) {
		t.Errorf("Formats() = %v", got)
	}
}

func TestTranscodeSameFormatKeepsThePayload(t *testing.T) {
	var tc payload.Transcoder
	in := payload.Payload{Format: "any", Data: 1}
	if out, err := tc.Transcode(in, "any"); err != nil || out != in {
		t.Errorf("Transcode = %v, %v", out, err)
	}
}

func TestTranscodeReportsAMissingPath(t *testing.T) {
	tc := payload.NewDefault()
	for _, tt := range []struct{ from, to payload.Format }{
		{payload.Go, "no/such"}, {"no/such", payload.Go}, {payload.Error, payload.Go}, {payload.JSON, payload.Lua},
	} {
		for range 2 { // the second answer may come from the cache
			_, err := tc.Transcode(payload.Payload{Format: tt.from}, tt.to)
			var te *payload.TranscodeError
			if !errors.As(err, &te) || !errors.Is(err, payload.ErrNoPath) || err.Error() != "no transcoding path found" || te.Kind() != "Internal" {
				t.Errorf("%s to %s: %v", tt.from, tt.to, err)
				continue
			}
			if te.From != tt.from || te.To != tt.to || te.Cause != payload.ErrNoPath {
				t.Errorf("%s to %s: error of %s to %s: %v", tt.from, tt.to, te.From, te.To, te.Cause)
			}
			if want := map[string]any{"from": string(tt.from), "to": string(tt.to)}; !maps.Equal(te.Details(), want) {
				t.Errorf("details = %v, want %v", te.Details(), want)
			}
		}
	}
	var zero payload.Transcoder
	if _, err := zero.Transcode(payload.New(1), payload.JSON); !errors.Is(err, payload.ErrNoPath) {
		t.Errorf("zero Transcoder: %v", err)
	}
	if zero.Formats() != nil {
		t.Errorf("zero Transcoder has formats %v", zero.Formats())
	}
}

func TestTranscodeReportsAFailedConversion(t *testing.T) {
	tc := payload.NewTranscoder()
	cause := errors.New("no good")
	tc.Register("a", "b", 1, trace("b"))
	tc.Register("b", "c", 1, func(any) (any, error) { return 1, cause })
	_, err := tc.Transcode(payload.Payload{Format: "a", Data: 1}, "c")
	var te *payload.TranscodeError
	if !errors.As(err, &te) || !errors.Is(err, cause) || err.Error() != "error transcoding payload: no good" {
		t.Fatalf("err = %v", err)
	}
	if want := map[string]any{"from": "a", "to": "c", "cause": "no good"}; !maps.Equal(te.Details(), want) {
		t.Errorf("details = %v, want %v", te.Details(), want)
	}
	if retryable, known := te.Retryable(); retryable || !known {
		t.Errorf("retryable %v known %v", retryable, known)
	}
}

func TestTranscodeContainsPanicsOfConversions(t *testing.T) {
	tc := payload.NewTranscoder()
	tc.Register("a", "b", 1, func(any) (any, error) { panic("boom") })
	p, err := tc.Transcode(payload.Payload{Format: "a"}, "b")
	if err == nil || err.Error() != "error transcoding payload: payload: conversion panicked: boom" || p != (payload.Payload{}) {
		t.Errorf("Transcode = %v, %v", p, err)
	}
}

func TestRegisterPanicsOnMisuse(t *testing.T) {
	for name, register := range map[string]func(*payload.Transcoder){
		"cost":   func(tc *payload.Transcoder) { tc.Register("a", "b", 0, trace("b")) },
		"nil":    func(tc *payload.Transcoder) { tc.Register("a", "b", 1, nil) },
		"itself": func(tc *payload.Transcoder) { tc.Register("a", "a", 1, trace("a")) },
	} {
		tc := payload.NewTranscoder()
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			register(tc)
		}()
		tc.Register("a", "b", 1, trace("b")) // still usable: no lock is held
	}
}

func TestTranscodeWhileRegisteringConcurrent(t *testing.T) {
	tc := payload.NewTranscoder()
	tc.Register("a", "b", 1, trace("b"))
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 500 {
				if got := path(t, tc, "a", "b"); got != "a>b" {
					t.Errorf("path = %s", got)
				}
			}
		})
	}
	wg.Go(func() {
		for i := range 100 {
			tc.Register("b", payload.Format(fmt.Sprint("x", i)), 1, trace("x"))
		}
	})
	wg.Wait()
}

// TestTranscodeCostIsMinimalProperty compares the path taken in random graphs
// with the distances of Floyd and Warshall's algorithm.
func TestTranscodeCostIsMinimalProperty(t *testing.T) {
	formats := []payload.Format{"a", "b", "c", "d", "e"}
	rapid.Check(t, func(t *rapid.T) {
		const far = 1 << 20
		type distance struct{ cost, hops int }
		less := func(a, b distance) bool { return a.cost < b.cost || a.cost == b.cost && a.hops < b.hops }
		dist := map[[2]payload.Format]distance{}
		tc := payload.NewTranscoder()
		for _, f := range formats {
			for _, g := range formats {
				dist[[2]payload.Format{f, g}] = distance{cost: far}
				if f == g {
					dist[[2]payload.Format{f, g}] = distance{}
				} else if rapid.Bool().Draw(t, "edge") {
					cost := rapid.IntRange(1, 4).Draw(t, "cost")
					dist[[2]payload.Format{f, g}] = distance{cost, 1}
					tc.Register(f, g, cost, func(v any) (any, error) {
						d := v.(distance)
						return distance{d.cost + cost, d.hops + 1}, nil
					})
				}
			}
		}
		for _, k := range formats {
			for _, i := range formats {
				for _, j := range formats {
					a, b := dist[[2]payload.Format{i, k}], dist[[2]payload.Format{k, j}]
					if via := (distance{a.cost + b.cost, a.hops + b.hops}); less(via, dist[[2]payload.Format{i, j}]) {
						dist[[2]payload.Format{i, j}] = via
					}
				}
			}
		}
		for _, i := range formats {
			for _, j := range formats {
				want := dist[[2]payload.Format{i, j}]
				got, err := tc.Transcode(payload.Payload{Format: i, Data: distance{}}, j)
				if want.cost >= far {
					if !errors.Is(err, payload.ErrNoPath) {
						t.Fatalf("%s to %s: %v, want no path", i, j, err)
					}
				} else if err != nil || got.Data != want {
					t.Fatalf("%s to %s took %v (%v), want %v", i, j, got.Data, err, want)
				}
			}
		}
	})
}
