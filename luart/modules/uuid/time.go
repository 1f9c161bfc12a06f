// SPDX-License-Identifier: Apache-2.0

package uuid

import (
	"crypto/rand"
	"encoding/binary"

	"github.com/google/uuid"
)

// timeSource makes identifiers of version 1. It may be used by several goroutines.
type timeSource struct{ node [6]byte }

// newTimeSource chooses the node as RFC 9562, section 6.10, has it: at random, with the multicast bit, which no
// network card has.
func newTimeSource() (*timeSource, error) {
	s := &timeSource{}
	if _, err := rand.Read(s.node[:]); err != nil {
		return nil, err
	}
	s.node[0] |= 1
	return s, nil
}

// next returns an identifier that no other call in this program has returned.
func (s *timeSource) next() (uuid.UUID, error) {
	var id uuid.UUID
	now, sequence, err := uuid.GetTime()
	if err != nil {
		return id, err
	}
	binary.BigEndian.PutUint32(id[0:], uint32(now))
	binary.BigEndian.PutUint16(id[4:], uint16(now>>32))
	binary.BigEndian.PutUint16(id[6:], uint16(now>>48)&0x0fff|0x1000)
	binary.BigEndian.PutUint16(id[8:], sequence) // with the variant
	copy(id[10:], s.node[:])
	return id, nil
}
