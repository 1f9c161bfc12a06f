// SPDX-License-Identifier: Apache-2.0

package internode

import (
	"encoding/binary"
	"fmt"
)

// appendHello appends the body of a hello frame: the version, which comes first in every
// version to come; session and nonce; what is left of the connection before; the epoch; the name.
func appendHello(b []byte, h hello) []byte {
	b = append(b, version)
	b = append(b, h.session[:]...)
	b = append(b, h.nonce[:]...)
	b = append(b, h.known[:]...)
	b = binary.AppendUvarint(b, h.received)
	b = binary.AppendUvarint(b, h.epoch)
	return appendText(b, h.node)
}

func appendLength(b []byte, n int) []byte { return binary.AppendUvarint(b, uint64(n)) }

// decodeHello reads what appendHello wrote. The error wraps ErrMalformed or ErrVersion.
func decodeHello(body []byte) (hello, error) {
	d := decoder{rest: body}
	if v := d.octet(); d.err == nil && v != version {
		return hello{}, fmt.Errorf("%w: %d, not %d", ErrVersion, v, version)
	}
	var h hello
	copy(h.session[:], d.fixed(sessionSize))
	copy(h.nonce[:], d.fixed(nonceSize))
	copy(h.known[:], d.fixed(sessionSize))
	h.received = d.number()
	h.epoch = d.number()
	h.node = string(d.bytes())
	switch {
	case d.err != nil:
	case len(d.rest) > 0:
		d.fail("%d bytes behind the hello", len(d.rest))
	case h.epoch > maxEpoch:
		d.fail("epoch %d", h.epoch)
	case h.node == "":
		d.fail("node without a name")
	case len(h.node) > maxName:
		d.fail("node name of %d bytes, limit %d", len(h.node), maxName)
	}
	if d.err != nil {
		return hello{}, d.err
	}
	return h, nil
}
