// SPDX-License-Identifier: Apache-2.0

package websocket_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/wippyrun/kit/wippy/lua/websocket"
)

func TestWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		w := websocket.NewCounter(10)
		passed := make(chan bool)
		waits := func(ctx context.Context) bool {
			go func() { passed <- w.Wait(ctx) }()
			synctest.Wait()
			select {
			case ok := <-passed:
				if !ok {
					t.Error("the wait was given up")
				}
				return false
			default:
				return true
			}
		}
		if waits(ctx) {
			t.Error("an empty window is full")
		}
		w.Take(9)
		if waits(ctx) {
			t.Error("a window with room is full")
		}
		w.Take(1000) // the largest message gets through
		if !waits(ctx) {
			t.Error("a full window has room")
		}
		w.Give(999)
		synctest.Wait()
		select {
		case <-passed:
			t.Error("a window that is still full has room")
		default:
		}
		w.Give(1)
		if !<-passed {
			t.Error("the wait was given up")
		}
		w.Take(1)
		if !waits(ctx) {
			t.Error("a full window has room")
		}
		cancel()
		if <-passed {
			t.Error("a wait outlives its context")
		}
		if !waits(t.Context()) {
			t.Error("a full window has room")
		}
		w.Open()
		if !<-passed {
			t.Error("an open window is full")
		}
	})
}
