// SPDX-License-Identifier: Apache-2.0

package relay_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/wippyrun/kit/relay"
)

// FuzzParsePID checks, for any text: parsing never panics; what is read prints
// as a text that reads back as the same value; equal texts mean equal PIDs; and a
// canonical text is kept as it is.
func FuzzParsePID(f *testing.F) {
	for _, s := range []string{
		"", "{}", "{|}", "{h|u}", "{n@h|u}", "{local@h|u}", "{@h|u}", "{h|x|u}", "{a@b@c|u}", "{local@a@b|u}",
		"{|topology}", "{{|}}", "{h|u", "{\x00@\xff|é}", "{@@|@}", "{||||}",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := relay.ParsePID(text)
		if err != nil {
			if !p.IsZero() {
				t.Fatalf("ParsePID(%q) = %q with error %v", text, p, err)
			}
			return
		}
		checkRoundTrip(t, p)
		if q := relay.NewPID(p.Node(), p.Host(), p.Uniq()); q != p {
			t.Fatalf("parts of %q give %q", p, q)
		}
		if p.Node() == relay.LocalNode {
			t.Fatalf("ParsePID(%q) keeps the local node", text)
		}
	})
}

// FuzzNewPID checks that a PID made of any parts round-trips, and that parts
// without separators come back unchanged.
func FuzzNewPID(f *testing.F) {
	f.Add("", "h", "u")
	f.Add("n", "h", "u")
	f.Add("a@b", "c@d|e", "f|g")
	f.Add("local", "local@", "|")
	f.Fuzz(func(t *testing.T, node, host, uniq string) {
		checkRoundTrip(t, relay.NewPID(node, host, uniq))
	})
}

func TestPIDPartsRoundTripProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		node := rapid.StringMatching(`[a-z0-9@.-]{0,12}`).Draw(t, "node")
		host := rapid.StringMatching(`[a-z0-9:._#-]{0,20}`).Draw(t, "host")
		uniq := rapid.StringMatching(`[a-z0-9x@{}]{0,12}`).Draw(t, "uniq")
		p := relay.NewPID(node, host, uniq)
		if node == relay.LocalNode {
			node = ""
		}
		if p.Node() != node || p.Host() != host || p.Uniq() != uniq {
			t.Fatalf("NewPID(%q, %q, %q) has parts %q, %q, %q", node, host, uniq, p.Node(), p.Host(), p.Uniq())
		}
		checkRoundTrip(t, p)
	})
}

type fataler interface {
	Fatalf(format string, args ...any)
}

func checkRoundTrip(t fataler, p relay.PID) {
	if p.IsZero() {
		if p != (relay.PID{}) {
			t.Fatalf("%#v is zero but not the zero value", p)
		}
		return
	}
	q, err := relay.ParsePID(p.String())
	if err != nil || q != p {
		t.Fatalf("%#v reads back as %#v, %v", p, q, err)
	}
	b, _ := p.MarshalText()
	var r relay.PID
	if err := r.UnmarshalText(b); err != nil || r != p {
		t.Fatalf("%#v unmarshals as %#v, %v", p, r, err)
	}
}
