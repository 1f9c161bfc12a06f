// SPDX-License-Identifier: Apache-2.0

package internode

import (
	"bytes"
	"encoding/binary"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
)

func encode(t interface {
	Helper()
	Fatal(...any)
}, seq uint64, m *relay.Message) []byte {
	t.Helper()
	b, err := appendMessage(nil, seq, "here", m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// same reports whether two messages say the same.
func same(a, b *relay.Message) bool {
	return a.From == b.From && a.To == b.To && a.Topic == b.Topic &&
		slices.EqualFunc(a.Payloads, b.Payloads, func(p, q payload.Payload) bool { return reflect.DeepEqual(p, q) })
}

func TestMessagesComeOutAsTheyWentInProperty(t *testing.T) {
	part := rapid.StringMatching(`[a-zA-Z0-9:._é-]{0,12}`)
	pid := rapid.Custom(func(t *rapid.T) relay.PID {
		return relay.NewPID("node"+part.Draw(t, "node"), part.Draw(t, "host"), part.Draw(t, "uniq"))
	})
	format := rapid.OneOf(
		rapid.SampledFrom(formats[1:]),
		rapid.Map(rapid.String(), func(s string) payload.Format { return payload.Format(s) }),
	)
	content := rapid.Custom(func(t *rapid.T) payload.Payload {
		p := payload.Payload{Format: format.Draw(t, "format")}
		if rapid.Bool().Draw(t, "text") {
			p.Data = rapid.String().Draw(t, "data")
		} else {
			p.Data = append([]byte{}, rapid.SliceOf(rapid.Byte()).Draw(t, "data")...)
		}
		return p
	})
	rapid.Check(t, func(t *rapid.T) {
		want := relay.NewMessage(pid.Draw(t, "from"), pid.Draw(t, "to"), rapid.String().Draw(t, "topic"),
			rapid.SliceOfN(content, 0, 5).Draw(t, "payloads")...)
		seq := rapid.Uint64().Draw(t, "seq")
		body := encode(t, seq, want)
		number, got, err := decodeMessage(body)
		if err != nil {
			t.Fatal(err)
		}
		clear(body) // the message must not look there
		if number != seq || !same(got, want) {
			t.Fatalf("got %d %+v, want %d %+v", number, got, seq, want)
		}
	})
}

func TestSenderIsNamedByItsNode(t *testing.T) {
	to := relay.NewPID("there", "h", "1")
	for _, c := range []struct{ from, want relay.PID }{
		{relay.NewPID("", "app:workers", "0x1"), relay.NewPID("here", "app:workers", "0x1")},
		{relay.NewPID("third", "app:workers", "0x1"), relay.NewPID("third", "app:workers", "0x1")},
		{relay.PID{}, relay.PID{}},
	} {
		_, m, err := decodeMessage(encode(t, 1, relay.NewMessage(c.from, to, "")))
		if err != nil {
			t.Fatal(err)
		}
		if m.From != c.want {
			t.Errorf("from %q arrives as %q, want %q", c.from, m.From, c.want)
		}
	}
}

func TestOnlyEncodedPayloadsCanBeSent(t *testing.T) {
	for _, data := range []any{nil, 1, map[string]any{}, errors.New("no")} {
		m := relay.NewMessage(relay.PID{}, relay.PID{}, "t", payload.Payload{Format: payload.JSON, Data: "1"}, payload.New(data))
		if _, err := appendMessage(nil, 1, "here", m); !errors.Is(err, ErrPayload) || !strings.Contains(err.Error(), "payload 1") {
			t.Errorf("%T: error %v, want %v of payload 1", data, err, ErrPayload)
		}
	}
}

func TestMalformedMessagesAreRefused(t *testing.T) {
	whole := encode(t, 300, relay.NewMessage(relay.NewPID("", "h", "1"), relay.NewPID("there", "h", "2"), "topic",
		payload.Payload{Format: payload.Bytes, Data: []byte("data")}, payload.Payload{Format: "own", Data: "text"}))
	if _, _, err := decodeMessage(whole); err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		if _, _, err := decodeMessage(whole[:n]); !errors.Is(err, ErrMalformed) {
			t.Errorf("the first %d bytes: error %v, want %v", n, err, ErrMalformed)
		}
	}
	texts := func(all ...string) string {
		var b []byte
		for _, text := range all {
			b = appendText(b, text)
		}
		return string(b)
	}
	for _, c := range []struct{ name, body, text string }{
		{"more behind", string(whole) + "x", "1 bytes behind the message"},
		{"sender", "\x01" + texts("nobody", "{h|1}", "t") + "\x00", "sender: invalid pid format: missing braces"},
		{"sender of this node", "\x01" + texts("{h|1}", "{h|1}", "t") + "\x00", "sender {h|1} without a node"},
		{"addressee", "\x01" + texts("", "{h}", "t") + "\x00", "addressee: invalid pid format: missing pipe"},
		{"format", "\x01" + texts("", "", "") + "\x01\x7f\x00", "unknown format 127"},
		{"payloads", "\x01" + texts("", "", "") + "\xff\xff\xff\xff\x0f", "4294967295 payloads in 0 bytes"},
		{"text", "\x01\xff\xff\xff\xff\x0f", "4294967295 bytes announced, 0 left"},
		{"number", strings.Repeat("\xff", 11), "number cut short or too big"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := decodeMessage([]byte(c.body))
			if !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), c.text) {
				t.Errorf("error %v, want %v with %q", err, ErrMalformed, c.text)
			}
		})
	}
}

func FuzzDecodeMessage(f *testing.F) {
	f.Add(encode(f, 1, relay.NewMessage(relay.PID{}, relay.NewPID("there", "h", "2"), "topic")))
	f.Add(encode(f, 1<<40, relay.NewMessage(relay.NewPID("", "h", "1"), relay.NewPID("there", "h", "2"), "topic",
		payload.Payload{Format: payload.Msgpack, Data: []byte{1}}, payload.Payload{Format: "own", Data: "text"})))
	f.Add(binary.AppendUvarint(nil, 1<<63))
	f.Fuzz(func(t *testing.T, body []byte) {
		seq, m, err := decodeMessage(body)
		if err != nil {
			if !errors.Is(err, ErrMalformed) {
				t.Fatalf("error %v, want %v", err, ErrMalformed)
			}
			return
		}
		again := encode(t, seq, m)
		number, n, err := decodeMessage(again)
		if err != nil || number != seq || !same(m, n) {
			t.Fatalf("%+v comes back as %+v, %v", m, n, err)
		}
		if third := encode(t, number, n); !bytes.Equal(third, again) {
			t.Fatalf("encoded as %q and as %q", again, third)
		}
	})
}

func BenchmarkMessage(b *testing.B) {
	m := relay.NewMessage(relay.NewPID("", "app:workers", "0x00001"), relay.NewPID("there", "app:workers", "0x00002"), "job",
		payload.Payload{Format: payload.Msgpack, Data: make([]byte, 100)})
	body := encode(b, 1, m)
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(body)))
		room := make([]byte, 0, 1024)
		for b.Loop() {
			if _, err := appendMessage(room, 1, "here", m); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(body)))
		for b.Loop() {
			_, m, err := decodeMessage(body)
			if err != nil {
				b.Fatal(err)
			}
			m.Release()
		}
	})
}
