// SPDX-License-Identifier: Apache-2.0

package queue

import (
	"encoding/binary"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"

	"github.com/wippyrun/kit/relay/payload"
)

// Names of headers that mean something to this package. All others travel unchanged.
const (
	HeaderTimestamp = "timestamp" // Unix seconds, set when the publisher gives none
	HeaderAttempts  = "attempts"  // which delivery this is, from the second on
	// HeaderPartition makes messages with the same value come one at a time and in order,
	// where the driver can do that.
	HeaderPartition = "partition_key"

	// HeaderOriginalQueue, HeaderDeadLetterReason and HeaderDeadLetterTime are what a message
	// in a dead-letter queue says about its past; the time is Unix seconds.
	HeaderOriginalQueue    = "x_original_queue"
	HeaderDeadLetterReason = "x_dead_letter_reason"
	HeaderDeadLetterTime   = "x_dead_letter_time"
)

// Message is what is published. It must not be changed any more from then on.
type Message struct {
	ID      string
	Headers map[string]any // string, bool, int64, float64 or nil
	Body    payload.Payload
}

// NewMessage makes a message with an id of its own and the time of now, unless headers
// hold another.
func NewMessage(body payload.Payload, headers map[string]any) *Message {
	if headers == nil {
		headers = make(map[string]any, 1)
	}
	if _, ok := headers[HeaderTimestamp]; !ok {
		headers[HeaderTimestamp] = time.Now().Unix()
	}
	return &Message{ID: NewID(), Headers: headers, Body: body}
}

// NewID returns a UUID of version 4. The generator is seeded by the system and strong
// enough to never repeat; it is no secret.
func NewID() string {
	var id uuid.UUID
	binary.LittleEndian.PutUint64(id[:8], rand.Uint64())
	binary.LittleEndian.PutUint64(id[8:], rand.Uint64())
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return id.String()
}

// Partition returns the value of the partition header, "" when there is none.
func (m *Message) Partition() string {
	key, _ := m.Headers[HeaderPartition].(string)
	return key
}
