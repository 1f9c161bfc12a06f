// SPDX-License-Identifier: Apache-2.0

package internode

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
)

// Config says who this node is, whom it knows and what it does with what arrives. Node,
// Secret and Deliver are required, and Peers unless the node is to talk to nobody.
type Config struct {
	// Node is the name of this node: up to 255 bytes, none of them '|', '@', '{' or '}'.
	Node string
	// Listen is where other nodes find this one, as "host:port"; port 0 is any that is
	// free, see Transport.Addr. Without it nobody can dial this node.
	Listen string
	// Peers are the addresses, as "host:port", of all nodes this one talks to, by name.
	// Nobody else gets a connection. Of two nodes the one whose name sorts first dials:
	// it needs the address, the other may leave it empty. Both must have the other here.
	Peers map[string]string
	// Secret is what all nodes share: 16 random bytes or more, see the caveats of the
	// package. It must not be empty.
	Secret []byte
	// TLS, when not nil, encrypts all connections. It serves both sides: it needs a
	// certificate, and what the certificates of others are checked against. Where it has
	// no ServerName, that is the host of the address that is dialled.
	TLS *tls.Config

	// Deliver takes over every message that arrives, in the order of its sender. It is
	// called by one goroutine for each other node; while it waits, that node waits. It
	// must not call Stop.
	Deliver func(*relay.Message)
	// Transcoder converts payloads whose data is neither a string nor a []byte to
	// MessagePack before they are sent. Without it they are refused with ErrPayload.
	Transcoder *payload.Transcoder
	// Up is called when another node can be reached, before anything it sends is
	// delivered. epoch numbers the time from here to Down and is the same on both nodes:
	// each of them is told of the end of an epoch before the next, which has a higher
	// number, begins. What is sent in one may be delivered in the next: what is valid
	// in one only has to name it. Up and Down of one node take turns and never run at
	// once; both must return soon, and call neither Stop nor Stats.
	Up func(node string, epoch uint64)
	// Down is called when another node is lost: it could not be reached again within
	// Patience after a connection broke, was silent for Patience, came back as a new
	// run, or comes back having taken this one for lost. It is not called by Stop.
	Down func(node string, reason error)
	// Log is told about connections that come and go; slog.Default when nil.
	Log *slog.Logger

	// Beat is how often a sign of life is sent, 1 s by default. A shorter one costs a
	// frame of five bytes per beat and node.
	Beat time.Duration
	// Patience is how long another node may be silent, and how long it may take to
	// connect again: 4 beats by default. A longer one finds a lost node later; a shorter
	// one takes a slow network for a lost node. It must be at least 2 beats.
	Patience time.Duration
	// MaxMessage limits a message, in bytes on the wire, 16 MiB by default. A longer one
	// is refused with ErrFrameSize. It must arrive within Patience on the slowest network.
	MaxMessage int
	// QueueMessages and QueueBytes limit what waits for one other node, 65536 messages
	// and 64 MiB by default. When either is reached Send returns ErrQueueFull. The memory
	// is taken only when needed.
	QueueMessages, QueueBytes int

	_ struct{}
}

// Bounds of the pause between two attempts to connect.
const (
	firstPause = 10 * time.Millisecond
	lastPause  = 5 * time.Second
)

// CheckName returns an error that says why a node cannot have a name, nil when it can.
func CheckName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("%w: empty", ErrConfig)
	case len(name) > maxName:
		return fmt.Errorf("%w: node name of %d bytes, limit %d", ErrConfig, len(name), maxName)
	case strings.ContainsAny(name, "|@{}"):
		return fmt.Errorf("%w: node name %q must not contain any of |@{}", ErrConfig, name)
	}
	return nil
}

// complete fills in the defaults and checks the result.
func (c Config) complete() (Config, error) {
	c.Beat = cmp.Or(c.Beat, time.Second)
	c.Patience = cmp.Or(c.Patience, 4*c.Beat)
	c.MaxMessage = cmp.Or(c.MaxMessage, 16<<20)
	c.QueueMessages = cmp.Or(c.QueueMessages, 1<<16)
	c.QueueBytes = cmp.Or(c.QueueBytes, 64<<20)
	c.Log = cmp.Or(c.Log, slog.Default())
	if c.Up == nil {
		c.Up = func(string, uint64) {}
	}
	if c.Down == nil {
		c.Down = func(string, error) {}
	}
	errs := []error{CheckName(c.Node)}
	wrong := func(bad bool, what string) {
		if bad {
			errs = append(errs, fmt.Errorf("%w: %s", ErrConfig, what))
		}
	}
	wrong(len(c.Secret) == 0, "no secret")
	wrong(c.Deliver == nil, "no Deliver")
	wrong(c.Beat < 0 || c.Patience < 2*c.Beat, "patience must be at least two beats")
	wrong(c.MaxMessage < 2*maxGreeting || c.MaxMessage > 1<<30, "message limit must be from 1 KiB to 1 GiB")
	wrong(c.QueueMessages < 2*ackEvery, "queue too short")
	wrong(c.QueueBytes < 0, "queue of less than no bytes")
	for name, address := range c.Peers {
		errs = append(errs, CheckName(name))
		wrong(name == c.Node, fmt.Sprintf("node %q is its own peer", name))
		wrong(c.Node < name && address == "", fmt.Sprintf("no address of peer %q, which this node has to dial", name))
		wrong(c.Node > name && c.Listen == "", fmt.Sprintf("nowhere to listen for peer %q, which dials", name))
	}
	return c, errors.Join(errs...)
}
