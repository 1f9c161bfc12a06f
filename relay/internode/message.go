// SPDX-License-Identifier: Apache-2.0

package internode

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
)

// The body of a message frame: the sequence number; the texts of From, To and Topic; the
// number of payloads, and each of them as the code of its format, whether the data is a
// string, and the data. Numbers are unsigned varints, texts and data have their length in
// front.

// formats are those that have a code, their index; the others have code 0 and their name
// follows. The order is part of the protocol.
var formats = [...]payload.Format{
	1: payload.JSON, payload.YAML, payload.String, payload.Bytes, payload.Msgpack,
}

var codes = func() map[payload.Format]byte {
	m := make(map[payload.Format]byte)
	for code := 1; code < len(formats); code++ {
		m[formats[code]] = byte(code)
	}
	return m
}()

// Flags beside the code of a format.
const (
	codeMask   = 0x7f
	dataString = 0x80 // the data is a string, otherwise a []byte
)

// appendMessage appends the body of a message frame. A sender without a node gets the name
// of node, as "here" is somewhere else on the other side. The error is ErrPayload.
func appendMessage(b []byte, seq uint64, node string, m *relay.Message) ([]byte, error) {
	b = binary.AppendUvarint(b, seq)
	b = appendSender(b, node, m.From)
	b = appendText(b, m.To.String())
	b = appendText(b, m.Topic)
	b = binary.AppendUvarint(b, uint64(len(m.Payloads)))
	for i, p := range m.Payloads {
		code := codes[p.Format]
		text, isText := p.Data.(string)
		data, isBytes := p.Data.([]byte)
		switch {
		case isText:
			code |= dataString
		case !isBytes:
			return nil, fmt.Errorf("%w: payload %d is %T as %s", ErrPayload, i, p.Data, p.Format)
		}
		b = append(b, code)
		if code&codeMask == 0 {
			b = appendText(b, string(p.Format))
		}
		if isText {
			b = appendText(b, text)
			continue
		}
		b = binary.AppendUvarint(b, uint64(len(data)))
		b = append(b, data...)
	}
	return b, nil
}

func appendText(b []byte, text string) []byte {
	b = binary.AppendUvarint(b, uint64(len(text)))
	return append(b, text...)
}

// appendSender appends the text of p as a process of node, unless it has a node or is the
// anonymous sender.
func appendSender(b []byte, node string, p relay.PID) []byte {
	text := p.String()
	if p.IsZero() || p.Node() != "" {
		return appendText(b, text)
	}
	b = binary.AppendUvarint(b, uint64(len(text)+len(node)+len("@")))
	b = append(b, '{')
	b = append(b, node...)
	b = append(b, '@')
	return append(b, text[1:]...)
}

// decodeMessage reads what appendMessage wrote. The message shares no memory with body. The
// error wraps ErrMalformed.
func decodeMessage(body []byte) (seq uint64, m *relay.Message, err error) {
	d := decoder{rest: body}
	seq = d.number()
	from, to, topic := d.head()
	sender, addressee := d.pid("sender", from), d.pid("addressee", to)
	if !sender.IsZero() && sender.Node() == "" {
		d.fail("sender %s without a node", sender) // would pass for one of this node
	}
	// Each payload takes two bytes at least, so a false number is found before there is
	// room for it.
	count := d.number()
	if count > uint64(len(d.rest)/2) {
		d.fail("%d payloads in %d bytes", count, len(d.rest))
	}
	if d.err != nil {
		return 0, nil, d.err
	}
	var one [1]payload.Payload
	payloads := one[:0]
	if count > 1 {
		payloads = make([]payload.Payload, 0, count)
	}
	for range count {
		payloads = append(payloads, d.payload())
	}
	if len(d.rest) > 0 {
		d.fail("%d bytes behind the message", len(d.rest))
	}
	if d.err != nil {
		return 0, nil, d.err
	}
	return seq, relay.NewMessage(sender, addressee, topic, payloads...), nil
}

// decoder takes a body apart. After the first error it returns zero values only.
type decoder struct {
	rest []byte
	err  error
}

func (d *decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, args...))
	}
	d.rest = nil
}

func (d *decoder) number() uint64 {
	v, n := binary.Uvarint(d.rest)
	if n <= 0 {
		d.fail("number cut short or too big")
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

func (d *decoder) octet() byte {
	if len(d.rest) == 0 {
		d.fail("cut short")
		return 0
	}
	v := d.rest[0]
	d.rest = d.rest[1:]
	return v
}

// fixed returns the next n bytes, nil after an error.
func (d *decoder) fixed(n uint64) []byte {
	if n > uint64(len(d.rest)) {
		d.fail("%d bytes announced, %d left", n, len(d.rest))
		return nil
	}
	v := d.rest[:n:n]
	d.rest = d.rest[n:]
	return v
}

// bytes returns data with its length in front. It is part of the body.
func (d *decoder) bytes() []byte { return d.fixed(d.number()) }

// head returns three texts for one allocation.
func (d *decoder) head() (from, to, topic string) {
	a, b, c := d.bytes(), d.bytes(), d.bytes()
	var all strings.Builder
	all.Grow(len(a) + len(b) + len(c))
	all.Write(a)
	all.Write(b)
	all.Write(c)
	text := all.String()
	return text[:len(a)], text[len(a) : len(a)+len(b)], text[len(a)+len(b):]
}

func (d *decoder) pid(who, text string) relay.PID {
	if text == "" {
		return relay.PID{}
	}
	p, err := relay.ParsePID(text)
	if err != nil {
		d.fail("%s: %v", who, err)
	}
	return p
}

func (d *decoder) payload() payload.Payload {
	code := d.octet()
	var p payload.Payload
	switch c := int(code & codeMask); {
	case c == 0:
		p.Format = payload.Format(d.bytes())
	case c < len(formats):
		p.Format = formats[c]
	default:
		d.fail("unknown format %d", c)
	}
	if data := d.bytes(); code&dataString != 0 {
		p.Data = string(data)
	} else {
		p.Data = append(make([]byte, 0, len(data)), data...)
	}
	return p
}
