// SPDX-License-Identifier: Apache-2.0

package relay_test

import (
	"encoding/json"
	"errors"
	"math"
	"testing"

	"github.com/wippyrun/kit/relay"
)

func TestParsePIDReadsItsPartsAndPrintsTheCanonicalText(t *testing.T) {
	tests := []struct {
		text, node, host, uniq, canonical string
	}{
		{"{app:processes|0x00001}", "", "app:processes", "0x00001", "{app:processes|0x00001}"},
		{"{n1@app:processes|0x00001}", "n1", "app:processes", "0x00001", "{n1@app:processes|0x00001}"},
		{"{n1@eu@app:p|x}", "n1@eu", "app:p", "x", "{n1@eu@app:p|x}"},
		{"{|topology}", "", "", "topology", "{|topology}"},
		{"{n1@|topology}", "n1", "", "topology", "{n1@|topology}"},
		{"{h|}", "", "h", "", "{h|}"},
		{"{app:f#lua.3|0x00002}", "", "app:f#lua.3", "0x00002", "{app:f#lua.3|0x00002}"},
		{"{h|a@b}", "", "h", "a@b", "{h|a@b}"},
		{"{h|a}b}", "", "h", "a}b", "{h|a}b}"},
		// Forms that are read but never printed.
		{"{local@h|u}", "", "h", "u", "{h|u}"},
		{"{@h|u}", "", "h", "u", "{h|u}"},
		{"{h|ns:proc|u}", "", "h", "u", "{h|u}"},
		{"{n@h|ns:proc|u}", "n", "h", "u", "{n@h|u}"},
		{"{local@h|ns:proc|u}", "", "h", "u", "{h|u}"},
		{"{local@local@h|u}", "local@local", "h", "u", "{local@local@h|u}"},
		{"{|}", "", "", "", ""},
		{"{@|}", "", "", "", ""},
		{"{||}", "", "", "", ""},
		{"{local@|}", "", "", "", ""},
	}
	for _, tt := range tests {
		p, err := relay.ParsePID(tt.text)
		if err != nil {
			t.Errorf("ParsePID(%q): %v", tt.text, err)
			continue
		}
		if p.Node() != tt.node || p.Host() != tt.host || p.Uniq() != tt.uniq {
			t.Errorf("ParsePID(%q) = node %q host %q uniq %q, want %q %q %q",
				tt.text, p.Node(), p.Host(), p.Uniq(), tt.node, tt.host, tt.uniq)
		}
		if p.String() != tt.canonical {
			t.Errorf("ParsePID(%q).String() = %q, want %q", tt.text, p.String(), tt.canonical)
		}
		if q := relay.NewPID(tt.node, tt.host, tt.uniq); q != p {
			t.Errorf("NewPID(%q, %q, %q) = %q, want the PID parsed from %q", tt.node, tt.host, tt.uniq, q, tt.text)
		}
	}
}

func TestParsePIDRefusesOtherTexts(t *testing.T) {
	tests := []struct {
		text string
		want error
		msg  string
	}{
		{"", relay.ErrPIDBraces, "invalid pid format: missing braces"},
		{"{", relay.ErrPIDBraces, "invalid pid format: missing braces"},
		{"h|u", relay.ErrPIDBraces, "invalid pid format: missing braces"},
		{"{h|u", relay.ErrPIDBraces, "invalid pid format: missing braces"},
		{"h|u}", relay.ErrPIDBraces, "invalid pid format: missing braces"},
		{"{}", relay.ErrPIDPipe, "invalid pid format: missing pipe"},
		{"{n@h}", relay.ErrPIDPipe, "invalid pid format: missing pipe"},
	}
	for _, tt := range tests {
		p, err := relay.ParsePID(tt.text)
		if !errors.Is(err, tt.want) || err.Error() != tt.msg {
			t.Errorf("ParsePID(%q) error = %v, want %q", tt.text, err, tt.msg)
		}
		if !p.IsZero() {
			t.Errorf("ParsePID(%q) = %q with an error", tt.text, p)
		}
	}
}

func TestNewPIDLocalNodeIsNoNode(t *testing.T) {
	if a, b := relay.NewPID(relay.LocalNode, "h", "u"), relay.NewPID("", "h", "u"); a != b {
		t.Errorf("%#v and %#v differ", a, b)
	}
}

func TestNewPIDTakesPartsAsParsePIDWouldReadThem(t *testing.T) {
	for _, tt := range []struct{ node, host, uniq, want string }{
		{"", "a@b", "u", "{a@b|u}"},
		{"n", "a|b", "u", "{n@a|u}"},
		{"", "h", "a|b", "{h|b}"},
	} {
		p := relay.NewPID(tt.node, tt.host, tt.uniq)
		if p.String() != tt.want {
			t.Errorf("NewPID(%q, %q, %q) = %q, want %q", tt.node, tt.host, tt.uniq, p, tt.want)
		}
		if q, err := relay.ParsePID(p.String()); err != nil || q != p {
			t.Errorf("%q does not round-trip: %q, %v", p, q, err)
		}
	}
}

func TestPIDLengthLimitIsWhatTheOffsetsHold(t *testing.T) {
	if relay.TooLong(math.MaxUint32) {
		t.Error("4 GiB - 1 is refused")
	}
	if uint64(math.MaxInt) > math.MaxUint32 && !relay.TooLong(math.MaxInt) {
		t.Error("a text beyond the offsets is accepted")
	}
	if err := relay.ErrPIDLength; err.Kind() != "Invalid" || errors.Is(err, relay.ErrPIDBraces) {
		t.Errorf("the error of such a text is %s: %v", err.Kind(), err)
	}
}

func TestZeroPIDIsAnonymous(t *testing.T) {
	var p relay.PID
	if !p.IsZero() || p.String() != "" || p.Node() != "" || p.Host() != "" || p.Uniq() != "" {
		t.Errorf("zero PID = %q node %q host %q uniq %q", p, p.Node(), p.Host(), p.Uniq())
	}
	if relay.NewPID("", "h", "u").IsZero() {
		t.Error("a real PID is zero")
	}
}

func TestPIDIsTextInJSON(t *testing.T) {
	type doc struct {
		P relay.PID
		M map[relay.PID]int
	}
	in := doc{P: relay.NewPID("n", "h", "u"), M: map[relay.PID]int{relay.NewPID("", "a:b", "0x00001"): 1, {}: 2}}
	b, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"P":"{n@h|u}","M":{"":2,"{a:b|0x00001}":1}}`; string(b) != want {
		t.Errorf("JSON = %s, want %s", b, want)
	}
	var out doc
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	if out.P != in.P || out.M[relay.NewPID("", "a:b", "0x00001")] != 1 || out.M[relay.PID{}] != 2 {
		t.Errorf("read back %+v", out)
	}
	if err := json.Unmarshal([]byte(`{"P":"nope"}`), &out); !errors.Is(err, relay.ErrPIDBraces) {
		t.Errorf("bad text: %v", err)
	}
	if b, err := in.P.AppendText([]byte("pid=")); err != nil || string(b) != "pid={n@h|u}" {
		t.Errorf("AppendText = %q, %v", b, err)
	}
}
