// SPDX-License-Identifier: Apache-2.0

package internode

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

func readerOf(stream io.Reader, limit int) *frameReader {
	return &frameReader{src: bufio.NewReader(stream), limit: limit}
}

// frameOf is a frame with any header.
func frameOf(length uint32, k byte, body string) string {
	return string(append(binary.BigEndian.AppendUint32(nil, length), k)) + body
}

func TestFramesComeOutAsTheyWentInProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const limit = 300 << 10
		kinds := rapid.SliceOfN(rapid.ByteRange(1, byte(kindEnd-1)), 0, 8).Draw(t, "kinds")
		var stream []byte
		var bodies [][]byte
		for i, k := range kinds {
			// Sizes around those at which the room for a body grows.
			size := rapid.OneOf(rapid.IntRange(0, 9), rapid.SampledFrom([]int{
				step - 1, step, step + 1, 2 * step, 2*step + 1, limit - 1,
			})).Draw(t, "size")
			body := bytes.Repeat([]byte{byte('a' + i)}, size)
			start := len(stream)
			var err error
			if stream, err = endFrame(append(beginFrame(stream, kind(k)), body...), start, limit); err != nil {
				t.Fatal(err)
			}
			bodies = append(bodies, body)
		}
		r := readerOf(iotest.HalfReader(bytes.NewReader(stream)), limit)
		for i := range kinds {
			k, body, err := r.next()
			if err != nil || k != kind(kinds[i]) || !bytes.Equal(body, bodies[i]) {
				t.Fatalf("frame %d: %v, %d bytes, %v; want %v, %d bytes", i, k, len(body), err, kind(kinds[i]), len(bodies[i]))
			}
		}
		if _, _, err := r.next(); err != io.EOF {
			t.Fatalf("after the last frame: %v, want EOF", err)
		}
	})
}

func TestFrameReaderRefusesWhatIsNoFrame(t *testing.T) {
	for _, c := range []struct {
		name, stream string
		want         error
		text         string
	}{
		{"no kind", frameOf(0, 1, ""), ErrMalformed, "no kind"},
		{"zeros", frameOf(1, 0, ""), ErrMalformed, "none"},
		{"kind of the future", frameOf(1, byte(kindEnd), ""), ErrMalformed, "kind 7"},
		{"too long", frameOf(101, byte(kindBeat), ""), ErrFrameSize, "beat of 101 bytes, limit 100"},
		{"longest number", frameOf(1<<32-1, byte(kindBeat), ""), ErrFrameSize, "4294967295"},
		{"HTTP", "GET / HTTP/1.1\r\n", ErrMalformed, "unknown"},
		{"end in the header", "\x00\x00", io.ErrUnexpectedEOF, ""},
		{"end before the body", frameOf(3, byte(kindBeat), ""), io.ErrUnexpectedEOF, ""},
		{"end in the body", frameOf(3, byte(kindBeat), "x"), io.ErrUnexpectedEOF, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := readerOf(strings.NewReader(c.stream), 100).next()
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) {
				t.Errorf("error %v, want %v with %q", err, c.want, c.text)
			}
		})
	}
}

func TestFrameLongerThanTheLimitIsNotWritten(t *testing.T) {
	before := []byte("before")
	for _, c := range []struct {
		size int
		want error
	}{{9, nil}, {10, ErrFrameSize}} {
		b := append(beginFrame(bytes.Clone(before), kindBeat), make([]byte, c.size)...)
		got, err := endFrame(b, len(before), 10)
		if !errors.Is(err, c.want) {
			t.Errorf("body of %d bytes: %v, want %v", c.size, err, c.want)
		}
		if err != nil && !bytes.Equal(got, before) {
			t.Errorf("left %q, want %q", got, before)
		}
	}
}

// Who claims a long body has to send it before there is room for it.
func TestClaimedLengthDoesNotAllocate(t *testing.T) {
	r := readerOf(strings.NewReader(frameOf(1<<30, byte(kindMessage), "little")), 1<<30)
	if _, _, err := r.next(); err != io.ErrUnexpectedEOF {
		t.Errorf("error %v, want %v", err, io.ErrUnexpectedEOF)
	}
	if cap(r.body) > step {
		t.Errorf("room for %d bytes, want at most %d", cap(r.body), step)
	}
}

func TestFrameIsBufferedWhenAllOfItIs(t *testing.T) {
	first, second := frameOf(4, byte(kindMessage), "abc"), frameOf(1, byte(kindBeat), "")
	for n := 0; n <= len(first+second); n++ {
		r := readerOf(strings.NewReader((first + second)[:n]), 100)
		r.src.Peek(1)
		for i, end := range []int{len(first), len(first + second)} {
			if got, want := r.buffered(), n >= end; got != want {
				t.Errorf("with %d bytes frame %d is buffered: %v, want %v", n, i+1, got, want)
			}
			if _, _, err := r.next(); err != nil {
				break
			}
		}
	}
}

func TestRoomForALongBodyIsGivenUp(t *testing.T) {
	long := 2 * keepBody
	stream := frameOf(uint32(long+1), byte(kindMessage), strings.Repeat("x", long)) + frameOf(2, byte(kindMessage), "y")
	r := readerOf(strings.NewReader(stream), 1<<30)
	if _, body, err := r.next(); err != nil || len(body) != long {
		t.Fatalf("%d bytes, %v", len(body), err)
	}
	if _, body, err := r.next(); err != nil || string(body) != "y" {
		t.Fatalf("%q, %v", body, err)
	}
	if cap(r.body) > keepBody {
		t.Errorf("keeps room for %d bytes, want at most %d", cap(r.body), keepBody)
	}
}

func FuzzFrameReader(f *testing.F) {
	f.Add([]byte(frameOf(1, byte(kindBeat), "")))
	f.Add([]byte(frameOf(5, byte(kindMessage), "body") + frameOf(1, byte(kindAck), "")))
	f.Add([]byte(frameOf(1<<31, byte(kindMessage), "body")))
	f.Fuzz(func(t *testing.T, stream []byte) {
		const limit = 1 << 16
		r := readerOf(bytes.NewReader(stream), limit)
		var again []byte
		for {
			k, body, err := r.next()
			if err != nil {
				break
			}
			start := len(again)
			if again, err = endFrame(append(beginFrame(again, k), body...), start, limit); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.HasPrefix(stream, again) {
			t.Errorf("read frames that are not there: %q out of %q", again, stream)
		}
	})
}
