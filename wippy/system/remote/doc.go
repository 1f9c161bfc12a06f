// SPDX-License-Identifier: Apache-2.0

// Package remote makes monitors, links, cancellations and terminations work between nodes.
//
// # Basics
//
// A process of another node that somebody here watches is registered in the local
// [topology.Topology] as a stand-in. The other node is asked to say when the process ends;
// then the stand-in ends in the same way, and everybody here learns it as of a process of
// this node. When the other node is lost, all its stand-ins end with an error of the kind
// Unavailable, "node lost: " and a reason, with the detail node_id.
//
//	r := remote.New(topo, node, transcoder, processes.Terminate, log)
//	transport, err := internode.Listen(internode.Config{Deliver: r.Deliver, Up: r.Up, Down: r.Down, ...})
//	r.Connect(transport.Send)
//	router.SetInternode(r)
//
// # Guarantees
//
//   - A monitor of a remote process fires once: when the process ends, when it is not there,
//     or when its node is lost (TestMonitorFiresOnce).
//   - A link across nodes works both ways (TestLinkWorksBothWays).
//   - A termination reaches the process behind messages sent before it (TestTerminateReachesTheOtherNode).
//   - Both nodes agree on who is linked and watched as soon as all notices have arrived, whatever
//     was on the way when they lost each other (TestNodesAgreeProperty): a notice is valid in
//     the epoch it was sent in, which ends on both nodes if it ends on one.
//
// # Caveats
//
// A stand-in that nobody watches any more stays until its process ends or its node is lost:
// about 150 bytes. Names are local to a node. A notice that finds the queue to the other node full
// is lost, which is logged; one that arrives in a later epoch does nothing: a termination or
// cancellation does not outlive the loss of either node.
package remote
