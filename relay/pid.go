// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"math"
	"strings"
)

// LocalNode is the node name that means "the node this code runs on". A PID
// never carries it: NewPID and ParsePID drop it, so that a process has one text
// form and not two.
const LocalNode = "local"

// PID addresses one process: a node, a host on that node, and an id that is
// unique within the host. It is a small comparable value, fit for map keys and
// for passing around by value; two PIDs are equal exactly when their texts are.
//
// The value is its text plus the offsets of the two separators, which makes
// String, Node, Host and Uniq free, and ParsePID free of allocation for texts
// in canonical form.
//
// The zero PID is the anonymous sender. It prints as "".
type PID struct {
	text string // canonical form, "" for the zero PID
	at   uint32 // offset of the '@' that ends the node, 0 without a node
	bar  uint32 // offset of the '|' that ends the host
}

// NewPID makes the PID of uniq on host on node. An empty node and LocalNode
// both mean this node. It costs one allocation: the text.
//
// The parts are taken as ParsePID would read them back from the text. A host
// therefore must not contain '@' or '|', and a uniq must not contain '|'; a node
// may contain '@'. NewPID("", "", "") is the zero PID.
func NewPID(node, host, uniq string) PID {
	var text string
	if node == "" || node == LocalNode {
		text = "{" + host + "|" + uniq + "}"
	} else {
		text = "{" + node + "@" + host + "|" + uniq + "}"
	}
	p, err := ParsePID(text)
	if err != nil {
		panic("relay: NewPID: " + err.Error())
	}
	return p
}

// ParsePID reads the text form: "{host|uniq}" or "{node@host|uniq}". The older
// form with three parts, "{host|name|uniq}", is read too: its middle part is
// dropped. The node ends at the last '@' before the first '|'.
//
// The result shares memory with text and costs no allocation, unless text is one
// of the forms that String never prints (a node "local", an empty node before
// '@', three parts), which are rewritten. The error is ErrPIDBraces, ErrPIDPipe or
// ErrPIDLength.
func ParsePID(text string) (PID, error) {
	if len(text) < 2 || text[0] != '{' || text[len(text)-1] != '}' {
		return PID{}, ErrPIDBraces
	}
	if tooLong(len(text)) {
		return PID{}, ErrPIDLength
	}
	bar := strings.IndexByte(text, '|')
	if bar < 0 {
		return PID{}, ErrPIDPipe
	}
	last := strings.LastIndexByte(text, '|')
	at := strings.LastIndexByte(text[:bar], '@')
	if bar == last {
		if at < 0 {
			if len(text) == len("{|}") {
				return PID{}, nil
			}
			return PID{text: text, bar: uint32(bar)}, nil
		}
		if node := text[1:at]; node != "" && node != LocalNode {
			return PID{text: text, at: uint32(at), bar: uint32(bar)}, nil
		}
	}
	return rewritePID(text, at, bar, last), nil
}

// rewritePID builds the canonical form of a text that is readable but not
// canonical, given the offsets of its separators (at is -1 when missing).
func rewritePID(text string, at, bar, last int) PID {
	node, host := "", text[1:bar]
	if at >= 0 {
		node, host = text[1:at], text[at+1:bar]
	}
	return NewPID(node, host, text[last+1:len(text)-1])
}

// tooLong reports whether a text of n bytes has offsets that a PID cannot hold.
func tooLong(n int) bool { return uint64(n) > math.MaxUint32 }

// Node returns the node name, "" for a process of this node.
func (p PID) Node() string {
	if p.at == 0 {
		return ""
	}
	return p.text[1:p.at]
}

// Host returns the id of the host the process lives on. System processes have
// the empty host.
func (p PID) Host() string {
	if p.text == "" {
		return ""
	}
	// Without a node, at is 0: the offset of the opening brace, so +1 fits both.
	return p.text[p.at+1 : p.bar]
}

// Uniq returns the part that tells the processes of one host apart.
func (p PID) Uniq() string {
	if p.text == "" {
		return ""
	}
	return p.text[p.bar+1 : len(p.text)-1]
}

// String returns the canonical text, "" for the zero PID. It costs nothing.
func (p PID) String() string { return p.text }

// IsZero reports whether p is the zero PID, the anonymous sender.
func (p PID) IsZero() bool { return p.text == "" }

// AppendText appends the canonical text to b, like encoding.TextAppender.
func (p PID) AppendText(b []byte) ([]byte, error) { return append(b, p.text...), nil }

// MarshalText returns the canonical text, empty for the zero PID, so that PIDs
// are strings in JSON and YAML, also as map keys.
func (p PID) MarshalText() ([]byte, error) { return []byte(p.text), nil }

// UnmarshalText reads what MarshalText wrote. Empty text is the zero PID.
func (p *PID) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*p = PID{}
		return nil
	}
	q, err := ParsePID(string(text))
	if err != nil {
		return err
	}
	*p = q
	return nil
}
