// SPDX-License-Identifier: Apache-2.0

// Package keys understands what a terminal in raw mode sends: keys, the mouse, focus and pasted text.
//
// A [Decoder] turns bytes into events. It copes with input that is cut anywhere and with input that makes no sense: what
// it does not know it drops, and it never keeps more than a few kilobytes, pasted text apart. It costs one pass over the
// input. A Decoder is used by one goroutine at a time; events are plain values.
package keys

// The types of events.
const (
	Key    = "key"
	Mouse  = "mouse"
	Resize = "resize"
	Start  = "start"
	Focus  = "focus"
	Paste  = "paste"
)

// The types of keys that have no name.
const (
	// Runes is the type of a key that stands for text.
	Runes = "runes"
	// Unknown is the type of a key that is neither text nor one of the common keys.
	Unknown = "unknown"
)

// The actions of keys and the mouse.
const (
	Press   = "press"
	Release = "release"
	Motion  = "motion"
	Wheel   = "wheel"
)

// Event is something that happened at a terminal. Fields of other types than its own are zero.
type Event struct {
	Type string
	// Key is the text or the name of a key, and KeyType its name, Runes or Unknown.
	Key, KeyType string
	// Action is what a key or the mouse did, Button the button it did that with.
	Action, Button   string
	Alt, Ctrl, Shift bool
	// X and Y are the column and the row of the mouse, from 0.
	X, Y int
	// Width and Height are the size of the terminal.
	Width, Height int
	Focused       bool
	// Text is what was pasted, as the terminal sent it.
	Text string
}
