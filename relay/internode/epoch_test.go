// SPDX-License-Identifier: Apache-2.0

package internode

import (
	"testing"

	"pgregory.net/rapid"
)

// union is one of two nodes of which the other sees nothing but hellos.
type union struct {
	peer    *peer
	config  Config
	session session
	told    hello  // in the handshake that is going on
	shaking bool   // that is not over here
	holds   bool   // there is a connection, seen from here
	up      bool   // as Up and Down said
	epoch   uint64 // of the last Up
	ended   uint64 // the highest epoch of which Down was called, in this run
}

func (u *union) begin(t *rapid.T, name string, run byte) {
	u.session = session{name[0], run}
	u.config = Config{Node: name, MaxMessage: 1 << 20, QueueMessages: 100, QueueBytes: 1 << 20}
	u.shaking, u.holds, u.up, u.epoch, u.ended = false, false, false, 0, 0
	u.config.Up = func(_ string, epoch uint64) {
		if u.up || epoch <= u.epoch {
			t.Fatalf("%s: up in epoch %d; up before: %v, in %d", name, epoch, u.up, u.epoch)
		}
		u.up, u.epoch = true, epoch
	}
	u.config.Down = func(string, error) {
		if !u.up {
			t.Fatalf("%s: down twice", name)
		}
		u.up, u.ended = false, max(u.ended, u.epoch)
	}
	u.peer = newPeer("other", &u.config)
}

// finish ends the handshake on this side, well if there is still somebody who remembers it.
func (u *union) finish(t *rapid.T, other hello) {
	u.shaking = false
	u.holds = false // superseded
	if _, err := u.peer.connected(&u.config, u.told, other); err == nil {
		u.holds = true
	} else if u.peer.epoch == u.told.epoch {
		t.Fatal(err)
	}
}

// TestEpochsAreThoseOfBothProperty lets two nodes connect, lose each other and start anew, with handshakes that end
// on one side only: whenever they are connected, both are in an epoch that neither has ended.
func TestEpochsAreThoseOfBothProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var both [2]union
		runs := byte(0)
		for i, name := range []string{"a", "b"} {
			both[i].begin(t, name, runs)
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			i := rapid.IntRange(0, 1).Draw(t, "side")
			u, other := &both[i], &both[1-i]
			switch rapid.SampledFrom([]string{"shake", "finish", "finish", "silent", "breaks", "grace ends", "new run"}).Draw(t, "step") {
			case "shake":
				for j := range both {
					v := &both[j]
					v.told = v.peer.introduce(hello{node: v.config.Node, session: v.session})
					v.shaking = true
				}
			case "finish":
				if u.shaking {
					u.finish(t, other.told)
				}
				if !u.shaking && !other.shaking && u.holds && other.holds {
					if !u.up || !other.up || u.epoch != other.epoch || u.epoch <= max(u.ended, other.ended) {
						t.Fatalf("connected: a up %v in %d, ended %d; b up %v in %d, ended %d",
							both[0].up, both[0].epoch, both[0].ended, both[1].up, both[1].epoch, both[1].ended)
					}
				}
			case "silent":
				if u.holds {
					u.holds = false
					u.peer.broke(&u.config, ErrSilent)
				}
			case "breaks":
				u.holds = false
			case "grace ends":
				if !u.holds && u.up {
					u.peer.state.Lock()
					u.peer.lose(&u.config, ErrSilent)
					u.peer.state.Unlock()
				}
			case "new run":
				runs++
				u.begin(t, u.config.Node, runs)
				other.shaking = false
			}
		}
	})
}
