// SPDX-License-Identifier: Apache-2.0

package soak

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// sample is what the program occupies at one moment.
type sample struct {
	heap, goroutines, files int
}

func heap(s sample) int       { return s.heap }
func goroutines(s sample) int { return s.goroutines }
func files(s sample) int      { return s.files }

// watch samples the program until ctx ends.
func (l *life) watch(ctx context.Context, sockets string, pid int) {
	path := filepath.Join(sockets, "wippy", strconv.Itoa(pid)+".sock")
	client := http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", path)
		},
	}}
	defer client.CloseIdleConnections()
	tick := time.NewTicker(sampleEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		s, err := look(ctx, &client, pid)
		if err != nil {
			if ctx.Err() == nil {
				l.problem("sample: %v", err)
			}
			continue
		}
		l.samples = append(l.samples, s)
	}
}

func look(ctx context.Context, client *http.Client, pid int) (s sample, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://node/node", nil)
	if err != nil {
		return s, err
	}
	response, err := client.Do(request)
	if err != nil {
		return s, err
	}
	defer response.Body.Close()
	var node struct {
		Goroutines int `json:"goroutines"`
		HeapBytes  int `json:"heap_bytes"`
	}
	if err := json.NewDecoder(response.Body).Decode(&node); err != nil {
		return s, err
	}
	s.heap, s.goroutines = node.HeapBytes, node.Goroutines
	if open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid)); err == nil { // other systems do not tell
		s.files = len(open)
	}
	return s, nil
}

// thirds returns the lowest values of the first and of the last third of a life. The heap
// swings between collections, goroutines and files with what happens; what is not given
// back raises the lowest value.
func (l *life) thirds(of func(sample) int) (first, last int, ok bool) {
	n := len(l.samples) / 3
	if n < 3 {
		return 0, 0, false
	}
	least := func(list []sample) int {
		return of(slices.MinFunc(list, func(a, b sample) int { return of(a) - of(b) }))
	}
	return least(l.samples[:n]), least(l.samples[len(l.samples)-n:]), true
}

// trend is "first → last" of a life, in MiB for the heap.
func (l *life) trend(of func(sample) int) string {
	first, last, ok := l.thirds(of)
	switch {
	case !ok:
		return "–"
	case first > 1<<20:
		return fmt.Sprintf("%.1f → %.1f", float64(first)/(1<<20), float64(last)/(1<<20))
	}
	return fmt.Sprintf("%d → %d", first, last)
}

// judge looks for what grows. The room is for what warms up: pools, caches, code.
func (l *life) judge() {
	for _, g := range []struct {
		what string
		of   func(sample) int
		room int
	}{
		{"heap", heap, 6 << 20},
		{"goroutines", goroutines, 20},
		{"open files", files, 10},
	} {
		if first, last, ok := l.thirds(g.of); ok && last > first+g.room {
			l.problem("%s grows: %d in the first third, %d in the last", g.what, first, last)
		}
	}
	if l.done == 0 && l.loaded > 10*time.Second { // a second, if nothing holds it up
		l.problem("nothing was done")
	}
}
