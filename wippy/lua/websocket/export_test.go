// SPDX-License-Identifier: Apache-2.0

package websocket

import "context"

// Counter is a window for tests.
type Counter = window

// NewCounter returns a window of that size.
func NewCounter(size int) *Counter { return newWindow(size) }

// Wait, Take, Give and Open are the methods of a window.
func (w *window) Wait(ctx context.Context) bool { return w.wait(ctx) }
func (w *window) Take(n int)                    { w.take(n) }
func (w *window) Give(n int)                    { w.give(n) }
func (w *window) Open()                         { w.open() }
