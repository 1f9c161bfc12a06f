// SPDX-License-Identifier: Apache-2.0

package internode

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"
)

// version is that of the protocol. Both sides must have the same.
const version = 1

const (
	nonceSize   = 32
	sessionSize = 16
	maxName     = 255 // bytes of a node's name
	maxReason   = 255 // bytes of a refusal
	maxEpoch    = 1 << 62

	// maxGreeting is the limit of a frame's length before the other side has proved
	// that it knows the secret: hello is the longest.
	maxGreeting = 512
)

// session tells one run of a node from the next: it is made at random when the node starts.
type session [sessionSize]byte

// hello is how each side begins. It is not secret, and believed only when the proof has
// come, which covers it.
type hello struct {
	node    string
	session session
	nonce   [nonceSize]byte // random, new for every connection
	// known and received are what was left when the two had a connection before: the
	// session of the other side, and the number of the last message received from it.
	known    session
	received uint64
	// epoch is the one this side is in, or the next one when it took the other for lost.
	epoch uint64
}

// renewed reports whether one of the two has no memory of the other. Both sides see that alike.
func renewed(own, other hello) bool {
	return own.known != other.session || other.known != own.session
}

// handshake is what one side brings to it.
type handshake struct {
	secret []byte
	own    hello
	// binding ties the proofs to the channel below, when that has a secret of its own
	// that both ends can derive, as TLS does: somebody between the two, with a TLS
	// connection to each of them, cannot pass the proofs on.
	binding []byte
	// admit, when not nil, says whether the node that said hello, which has proved
	// nothing yet, is one to talk to, and fills in what own says of it.
	admit func(h *handshake, other hello) error
}

// The two sides of a handshake. Each proof names the side that makes it, so that neither can
// be sent back as an answer.
const (
	dialing   = "wippy internode 1: dialing"
	accepting = "wippy internode 1: accepting"
)

// dial is the handshake of the side that dialled: it says hello first, and proves first, so
// that nobody who merely connects is given something to try secrets on. in must have read
// nothing yet. It returns the hello of the other side, which has proved that it knows the
// secret. Time-outs are up to the caller. The errors wrap those of this package or are those
// of the stream; after an error the stream is to be closed.
func (h *handshake) dial(out io.Writer, in *frameReader) (hello, error) {
	in.limit = maxGreeting
	first, err := h.greet(out)
	if err != nil {
		return hello{}, err
	}
	second, err := expect(in, kindHello)
	if err != nil {
		return hello{}, err
	}
	second = append([]byte(nil), second...) // the next frame overwrites it
	other, err := h.examine(second)
	if err != nil {
		return hello{}, refuse(out, err)
	}
	if err := writeFrame(out, kindProof, h.proof(dialing, first, second)); err != nil {
		return hello{}, err
	}
	if err := h.verify(in, h.proof(accepting, first, second)); err != nil {
		return hello{}, refuse(out, err)
	}
	return other, nil
}

// accept is dial for the side that was dialled.
func (h *handshake) accept(out io.Writer, in *frameReader) (hello, error) {
	in.limit = maxGreeting
	first, err := expect(in, kindHello)
	if err != nil {
		return hello{}, refuse(out, err)
	}
	first = append([]byte(nil), first...)
	other, err := h.examine(first)
	if err != nil {
		return hello{}, refuse(out, err)
	}
	second, err := h.greet(out)
	if err != nil {
		return hello{}, err
	}
	if err := h.verify(in, h.proof(dialing, first, second)); err != nil {
		return hello{}, refuse(out, err)
	}
	if err := writeFrame(out, kindProof, h.proof(accepting, first, second)); err != nil {
		return hello{}, err
	}
	return other, nil
}

// greet writes the own hello and returns its body.
func (h *handshake) greet(out io.Writer) ([]byte, error) {
	body := appendHello(nil, h.own)
	return body, writeFrame(out, kindHello, body)
}

// examine reads the hello of the other side.
func (h *handshake) examine(body []byte) (hello, error) {
	other, err := decodeHello(body)
	if err == nil && other.node == h.own.node {
		err = fmt.Errorf("%w: %q", ErrSameNode, other.node)
	}
	if err == nil && h.admit != nil {
		err = h.admit(h, other)
	}
	return other, err
}

// proof is what the given side has to show: that it knows the secret now, as the nonces are
// new, and in answer to these two hellos.
func (h *handshake) proof(side string, first, second []byte) []byte {
	mac := hmac.New(sha256.New, h.secret)
	var parts []byte
	for _, part := range [][]byte{[]byte(side), first, second, h.binding} {
		parts = append(appendLength(parts, len(part)), part...) // no two lists look the same
	}
	mac.Write(parts)
	return mac.Sum(nil)
}

func (h *handshake) verify(in *frameReader, want []byte) error {
	got, err := expect(in, kindProof)
	if err != nil {
		return err
	}
	if !hmac.Equal(got, want) {
		return ErrProof
	}
	return nil
}

// expect reads a frame that has to be of the given kind, or a refusal.
func expect(in *frameReader, want kind) ([]byte, error) {
	k, body, err := in.next()
	switch {
	case err != nil:
		return nil, err
	case k == want:
		return body, nil
	case k == kindRefuse:
		return nil, fmt.Errorf("%w: %q", ErrRefused, body[:min(len(body), maxReason)])
	}
	return nil, fmt.Errorf("%w: %v instead of %v", ErrMalformed, k, want)
}

// refuse tells the other side why, if that can be told, and returns the reason. What went
// wrong with the stream or was said by the other side is no news to it.
func refuse(out io.Writer, reason error) error {
	for _, told := range []error{ErrMalformed, ErrFrameSize, ErrVersion, ErrProof, ErrSameNode, ErrUnknownPeer} {
		if errors.Is(reason, told) {
			text := strings.TrimPrefix(told.Error(), "internode: ")
			_ = writeFrame(out, kindRefuse, []byte(text)) // the reason is what matters
			break
		}
	}
	return reason
}

func writeFrame(out io.Writer, k kind, body []byte) error {
	b, err := endFrame(append(beginFrame(nil, k), body...), 0, maxGreeting)
	if err != nil {
		return err
	}
	_, err = out.Write(b)
	return err
}
