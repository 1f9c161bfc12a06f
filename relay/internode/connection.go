// SPDX-License-Identifier: Apache-2.0

package internode

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/wippyrun/kit/relay"
)

// connection carries mail as long as it holds. Both sides write something at every beat,
// whether or not they have anything to say and whether or not their reader is held up, and
// either gives the other up when it has heard nothing for its patience. Nothing is asked
// and answered: an answer would have to wait for a reader that a receiver holds up.
//
// A frame has to arrive within the patience, from first to last byte: frames must not be
// longer than the slowest network carries in that time.
//
// There is no limit on how long a write may take: it waits for the reader of the other side,
// and if that side is gone its beats are missed.
type connection struct {
	conn     net.Conn
	frames   *frameReader
	mail     *mail
	deliver  func(*relay.Message) // takes over the message; may wait, and holds up the sender then
	beat     time.Duration
	patience time.Duration // several beats
}

// newConnection prepares a connection for the handshake: frames are read with the time-out
// that is set on conn until run takes over.
func newConnection(conn net.Conn, m *mail, deliver func(*relay.Message), beat, patience time.Duration) *connection {
	c := &connection{conn: conn, mail: m, deliver: deliver, beat: beat, patience: patience}
	c.frames = &frameReader{src: bufio.NewReaderSize(conn, batchSize)}
	return c
}

// run carries mail until ctx ends, the connection breaks or the other side misbehaves, and
// says which it was. It returns when nothing of the connection is left, after the deliver
// that may be going on has returned.
func (c *connection) run(ctx context.Context) error {
	c.frames.limit = c.mail.maxFrame
	stop := context.AfterFunc(ctx, func() { c.conn.Close() })
	defer stop()
	quit := make(chan struct{})
	reads, writes := make(chan error, 1), make(chan error, 1)
	go func() { reads <- c.read() }()
	go func() { writes <- c.write(quit) }()
	var readErr, writeErr error
	select {
	case readErr = <-reads:
		c.conn.Close()
		close(quit)
		<-writes
	case writeErr = <-writes:
		c.conn.Close()
		close(quit)
		readErr = <-reads
	}
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case writeErr != nil && (errors.Is(readErr, net.ErrClosed) || errors.Is(readErr, io.ErrClosedPipe)):
		return writeErr // which is why the reader was stopped
	}
	return readErr // what the other side said or did tells more than that it is gone
}

func (c *connection) read() error {
	for {
		// For every frame and not for every read: one that drips in is no sign of life. And
		// not for one that is here: setting it would take a quarter of BenchmarkOneWay.
		if !c.frames.buffered() {
			_ = c.conn.SetReadDeadline(time.Now().Add(c.patience)) // fails when the read does
		}
		k, body, err := c.frames.next()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return fmt.Errorf("%w for %v", ErrSilent, c.patience)
		}
		if err != nil {
			return err
		}
		m, err := c.mail.incoming(k, body)
		if err != nil {
			return err
		}
		if m != nil {
			c.deliver(m)
		}
	}
}

func (c *connection) write(quit <-chan struct{}) error {
	var batch []byte
	timer := time.NewTimer(c.beat)
	defer timer.Stop()
	beat := true // the first thing to say is that this side is there
	for {
		batch = c.mail.outgoing(batch[:0], beat)
		beat = false
		if len(batch) > 0 {
			if _, err := c.conn.Write(batch); err != nil {
				return err
			}
			if cap(batch) > 4*batchSize {
				batch = nil // that was a long message
			}
			continue
		}
		select {
		case <-c.mail.wake:
		case <-timer.C:
			beat = true
			timer.Reset(c.beat)
		case <-quit:
			return nil
		}
	}
}
