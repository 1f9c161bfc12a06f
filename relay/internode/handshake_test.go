// SPDX-License-Identifier: Apache-2.0

package internode

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
)

const secret = "correct horse battery staple"

// side returns one side of a handshake, with the shared secret and a fresh nonce.
func side(node string) *handshake {
	h := &handshake{secret: []byte(secret), own: hello{node: node}}
	rand.Read(h.own.nonce[:])
	rand.Read(h.own.session[:])
	return h
}

// tap records what is written.
type tap struct {
	io.Writer
	written bytes.Buffer
}

func (t *tap) Write(b []byte) (int, error) {
	t.written.Write(b)
	return t.Writer.Write(b)
}

// result is how a handshake ended on one side, and what that side has written.
type result struct {
	other hello
	err   error
	wrote []byte
}

// meet lets two sides meet. A side that ends with an error hangs up, as it should.
func meet(t *testing.T, a, b *handshake) (dialed, accepted result) {
	t.Helper()
	synctest.Test(t, func(*testing.T) {
		left, right := net.Pipe()
		defer left.Close()
		defer right.Close()
		run := func(conn net.Conn, do func(io.Writer, *frameReader) (hello, error)) result {
			out := &tap{Writer: conn}
			other, err := do(out, &frameReader{src: bufio.NewReader(conn)})
			if err != nil {
				conn.Close()
			}
			return result{other, err, out.written.Bytes()}
		}
		done := make(chan result)
		go func() { done <- run(right, b.accept) }()
		// Somebody has to take the refusal of a side that is the last to speak.
		dialed = run(left, a.dial)
		go io.Copy(io.Discard, left)
		accepted = <-done
	})
	return dialed, accepted
}

func TestHandshakeIntroducesBothSides(t *testing.T) {
	a, b := side("a"), side("b")
	a.own.received, b.own.received = 17, 1<<60
	a.own.known, b.own.known = b.own.session, a.own.session
	dialed, accepted := meet(t, a, b)
	if dialed.err != nil || accepted.err != nil {
		t.Fatalf("dialing: %v, accepting: %v", dialed.err, accepted.err)
	}
	if dialed.other != b.own {
		t.Errorf("dialing met %+v, want %+v", dialed.other, b.own)
	}
	if accepted.other != a.own {
		t.Errorf("accepting met %+v, want %+v", accepted.other, a.own)
	}
}

func TestHandshakeKeepsTheSecret(t *testing.T) {
	dialed, accepted := meet(t, side("a"), side("b"))
	for _, wire := range [][]byte{dialed.wrote, accepted.wrote} {
		for n := 8; n <= len(secret); n++ {
			if bytes.Contains(wire, []byte(secret[n-8:n])) {
				t.Errorf("%q of the secret is on the wire", secret[n-8:n])
			}
		}
	}
}

func TestHandshakeIsRefused(t *testing.T) {
	for _, c := range []struct {
		name               string
		change             func(a, b *handshake)
		dialing, accepting error
		told               string // to the side that gets ErrRefused
	}{
		{"secret", func(a, _ *handshake) { a.secret = []byte("Correct horse battery staple") }, ErrRefused, ErrProof, "wrong proof of the secret"},
		{"no secret", func(a, _ *handshake) { a.secret = nil }, ErrRefused, ErrProof, "wrong proof of the secret"},
		{"channel", func(a, b *handshake) { a.binding, b.binding = []byte("one"), []byte("two") }, ErrRefused, ErrProof, "wrong proof of the secret"},
		{"same name", func(a, _ *handshake) { a.own.node = "b" }, ErrRefused, ErrSameNode, "both nodes have the same name"},
		{"no name", func(a, _ *handshake) { a.own.node = "" }, ErrRefused, ErrMalformed, "malformed frame"},
		{"long name", func(a, _ *handshake) { a.own.node = strings.Repeat("a", maxName+1) }, ErrRefused, ErrMalformed, "malformed frame"},
		{"no name accepting", func(_, b *handshake) { b.own.node = "" }, ErrMalformed, ErrRefused, "malformed frame"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b := side("a"), side("b")
			c.change(a, b)
			dialed, accepted := meet(t, a, b)
			if !errors.Is(dialed.err, c.dialing) || !errors.Is(accepted.err, c.accepting) {
				t.Errorf("dialing: %v, accepting: %v; want %v, %v", dialed.err, accepted.err, c.dialing, c.accepting)
			}
			for _, err := range []error{dialed.err, accepted.err} {
				if errors.Is(err, ErrRefused) && !strings.Contains(err.Error(), c.told) {
					t.Errorf("told %v, want %q", err, c.told)
				}
			}
			if dialed.other != (hello{}) || accepted.other != (hello{}) {
				t.Error("a hello is believed in spite of the error")
			}
		})
	}
}

// against feeds a side what somebody else has recorded or made up, and returns how that
// side's handshake ends.
func against(do func(io.Writer, *frameReader) (hello, error), stream []byte) error {
	_, err := do(io.Discard, readerOf(bytes.NewReader(stream), 0))
	return err
}

func TestHandshakeCannotBeReplayed(t *testing.T) {
	a, b := side("a"), side("b")
	dialed, accepted := meet(t, a, b)
	if err := against(side("b").accept, dialed.wrote); !errors.Is(err, ErrProof) {
		t.Errorf("accepting a recorded dialing side: %v, want %v", err, ErrProof)
	}
	if err := against(side("a").dial, accepted.wrote); !errors.Is(err, ErrProof) {
		t.Errorf("dialing a recorded accepting side: %v, want %v", err, ErrProof)
	}
	// The same nonce again, which never happens, shows that it is the nonce that helps.
	if err := against(b.accept, dialed.wrote); err != nil {
		t.Errorf("the very same handshake: %v", err)
	}
}

func TestProofCannotBeReflected(t *testing.T) {
	a, b := side("a"), side("b")
	first, second := appendHello(nil, a.own), appendHello(nil, b.own)
	stream := new(bytes.Buffer)
	writeFrame(stream, kindHello, first)
	writeFrame(stream, kindProof, b.proof(accepting, first, second))
	if err := against(b.accept, stream.Bytes()); !errors.Is(err, ErrProof) {
		t.Errorf("accepting its own proof: %v, want %v", err, ErrProof)
	}
}

// Whatever somebody on the way changes in a hello, the proofs do not fit any more.
func TestChangedHelloIsNotBelieved(t *testing.T) {
	a, b := side("a"), side("b")
	dialed, _ := meet(t, a, b)
	end := headerSize + len(appendHello(nil, a.own))
	for i := headerSize; i < end; i++ {
		changed := bytes.Clone(dialed.wrote)
		changed[i] ^= 0x40
		if err := against(b.accept, changed); err == nil {
			t.Errorf("byte %d changed and nobody minds", i)
		}
	}
}

func TestHandshakeRefusesWhatIsNone(t *testing.T) {
	good := appendHello(nil, side("a").own)
	newer := bytes.Clone(good)
	newer[0] = version + 1
	for _, c := range []struct {
		name string
		kind kind
		body []byte
		want error
	}{
		{"message first", kindMessage, good, ErrMalformed},
		{"proof first", kindProof, good, ErrMalformed},
		{"empty hello", kindHello, nil, ErrMalformed},
		{"hello and more", kindHello, append(bytes.Clone(good), 0), ErrMalformed},
		{"newer version", kindHello, newer, ErrVersion},
		{"newer version and longer", kindHello, append(newer, "more"...), ErrVersion},
	} {
		t.Run(c.name, func(t *testing.T) {
			stream := new(bytes.Buffer)
			writeFrame(stream, c.kind, c.body)
			if err := against(side("b").accept, stream.Bytes()); !errors.Is(err, c.want) {
				t.Errorf("accepting: %v, want %v", err, c.want)
			}
			if err := against(side("b").dial, stream.Bytes()); !errors.Is(err, c.want) {
				t.Errorf("dialing: %v, want %v", err, c.want)
			}
		})
	}
	if err := against(side("b").accept, []byte(frameOf(maxGreeting+1, byte(kindHello), ""))); !errors.Is(err, ErrFrameSize) {
		t.Errorf("long frame before the proof: %v, want %v", err, ErrFrameSize)
	}
	if err := against(side("b").accept, nil); err != io.EOF {
		t.Errorf("nothing: %v, want EOF", err)
	}
}

func TestLongestHelloFits(t *testing.T) {
	h := side(strings.Repeat("n", maxName))
	h.own.received = 1<<64 - 1
	if dialed, accepted := meet(t, h, side("b")); dialed.err != nil || accepted.err != nil {
		t.Errorf("dialing: %v, accepting: %v", dialed.err, accepted.err)
	}
}

func FuzzHandshake(f *testing.F) {
	stream := new(bytes.Buffer)
	writeFrame(stream, kindHello, appendHello(nil, hello{node: "a"}))
	writeFrame(stream, kindProof, make([]byte, 32))
	f.Add(stream.Bytes())
	f.Add([]byte(frameOf(4, byte(kindRefuse), "no!")))
	f.Fuzz(func(t *testing.T, stream []byte) {
		// Whoever does not know the secret does not get in, whatever they say.
		if against(side("b").accept, stream) == nil || against(side("b").dial, stream) == nil {
			t.Fatal("believed")
		}
	})
}
