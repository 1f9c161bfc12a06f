// SPDX-License-Identifier: Apache-2.0

package relay_test

import (
	"errors"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/wippyrun/kit/relay"
)

func TestRouterTriesLocalThenPeerThenInternode(t *testing.T) {
	n := relay.NewNode("me")
	var host, peer, net recorder
	if err := n.Register("h", &host); err != nil {
		t.Fatal(err)
	}
	r := relay.NewRouter(n)
	if err := r.AddPeer("peer", &peer); err != nil {
		t.Fatal(err)
	}
	r.SetInternode(&net)
	for _, tt := range []struct {
		node string
		want *recorder
	}{{"", &host}, {"me", &host}, {"local", &host}, {"peer", &peer}, {"far", &net}} {
		before := len(tt.want.got)
		if err := r.Send(to(tt.node, "h")); err != nil {
			t.Errorf("node %q: %v", tt.node, err)
		}
		if len(tt.want.got) != before+1 {
			t.Errorf("node %q went elsewhere", tt.node)
		}
	}
	if r.Local() != n {
		t.Error("Local is another node")
	}
}

func TestRouterReportsWhatItCannotRoute(t *testing.T) {
	r := relay.NewRouter(relay.NewNode("me"))
	if err := r.Send(nil); !errors.Is(err, relay.ErrNilMessage) {
		t.Errorf("nil: %v", err)
	}
	err := r.Send(to("far", "h"))
	if !errors.Is(err, relay.ErrNodeNotFound) || err.Error() != "node not found" || kindOf(err) != "NotFound" ||
		!maps.Equal(detailsOf(err), map[string]any{"node_id": "far"}) {
		t.Errorf("unknown node: %v %v", err, detailsOf(err))
	}
	if err := r.Send(to("me", "h")); !errors.Is(err, relay.ErrHostNotFound) {
		t.Errorf("unknown host: %v", err)
	}
	r.SetInternode(new(recorder))
	if err := r.Send(to("far", "h")); err != nil {
		t.Errorf("with internode: %v", err)
	}
	r.SetInternode(nil)
	if err := r.Send(to("far", "h")); !errors.Is(err, relay.ErrNodeNotFound) {
		t.Errorf("internode removed: %v", err)
	}
}

func TestRouterAddPeerRefusesBadNames(t *testing.T) {
	r := relay.NewRouter(relay.NewNode("me"))
	var s recorder
	if err := r.AddPeer("p", &s); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		node string
		s    relay.Sender
		want error
		text string
		kind string
	}{
		{"", &s, relay.ErrEmptyPeer, "nodeID cannot be empty", "Invalid"},
		{"me", &s, relay.ErrPeerIsLocal, "peer node conflicts with local node", "Conflict"},
		{"local", &s, relay.ErrPeerIsLocal, "peer node conflicts with local node", "Conflict"},
		{"p", &s, relay.ErrPeerExists, "peer node already registered", "AlreadyExists"},
		{"q", nil, relay.ErrNilPeer, "peer sender cannot be nil", "Invalid"},
	} {
		err := r.AddPeer(tt.node, tt.s)
		if !errors.Is(err, tt.want) || err.Error() != tt.text || kindOf(err) != tt.kind {
			t.Errorf("AddPeer(%q) = %v (%s), want %s (%s)", tt.node, err, kindOf(err), tt.text, tt.kind)
		}
	}
	if got := r.Peers(); !slices.Equal(got, []string{"p"}) {
		t.Errorf("Peers() = %v", got)
	}
	if !r.RemovePeer("p") || r.RemovePeer("p") {
		t.Error("RemovePeer does not tell whether there was a peer")
	}
}

func TestNewRouterWithoutNodePanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	relay.NewRouter(nil)
}

// TestRouterMatchesItsModelProperty drives a router with random changes and sends
// and compares each outcome with the rule of the three tiers.
func TestRouterMatchesItsModelProperty(t *testing.T) {
	names := rapid.SampledFrom([]string{"", "local", "me", "a", "b", "c"})
	hosts := rapid.SampledFrom([]string{"", "h1", "h2"})
	rapid.Check(t, func(t *rapid.T) {
		n := relay.NewNode("me")
		r := relay.NewRouter(n)
		modelHosts, modelPeers := map[string]*recorder{}, map[string]*recorder{}
		var internode *recorder
		t.Repeat(map[string]func(*rapid.T){
			"register": func(t *rapid.T) {
				id, h := hosts.Draw(t, "host"), new(recorder)
				_, taken := modelHosts[id]
				if err := n.Register(id, h); (err != nil) != taken {
					t.Fatalf("Register(%q) = %v", id, err)
				}
				if !taken {
					modelHosts[id] = h
				}
			},
			"unregister": func(t *rapid.T) {
				id := hosts.Draw(t, "host")
				_, had := modelHosts[id]
				if n.Unregister(id) != had {
					t.Fatalf("Unregister(%q) != %v", id, had)
				}
				delete(modelHosts, id)
			},
			"addPeer": func(t *rapid.T) {
				id, s := names.Draw(t, "peer"), new(recorder)
				_, taken := modelPeers[id]
				bad := taken || id == "" || id == "local" || id == "me"
				if err := r.AddPeer(id, s); (err != nil) != bad {
					t.Fatalf("AddPeer(%q) = %v", id, err)
				}
				if !bad {
					modelPeers[id] = s
				}
			},
			"removePeer": func(t *rapid.T) {
				id := names.Draw(t, "peer")
				_, had := modelPeers[id]
				if r.RemovePeer(id) != had {
					t.Fatalf("RemovePeer(%q) != %v", id, had)
				}
				delete(modelPeers, id)
			},
			"setInternode": func(t *rapid.T) {
				internode = nil
				if rapid.Bool().Draw(t, "on") {
					internode = new(recorder)
					r.SetInternode(internode)
				} else {
					r.SetInternode(nil)
				}
			},
			"send": func(t *rapid.T) {
				node, host := names.Draw(t, "node"), hosts.Draw(t, "host")
				var want *recorder
				var wantErr error
				switch {
				case node == "" || node == "local" || node == "me":
					if want = modelHosts[host]; want == nil {
						wantErr = relay.ErrHostNotFound
					}
				case modelPeers[node] != nil:
					want = modelPeers[node]
				case internode != nil:
					want = internode
				default:
					wantErr = relay.ErrNodeNotFound
				}
				m := to(node, host)
				if err := r.Send(m); !errors.Is(err, wantErr) {
					t.Fatalf("Send to %q = %v, want %v", m.To, err, wantErr)
				}
				if want != nil && (len(want.got) == 0 || want.got[len(want.got)-1] != m) {
					t.Fatalf("message to %q went elsewhere", m.To)
				}
			},
		})
	})
}
