// SPDX-License-Identifier: Apache-2.0

// Package relay addresses processes and brings messages to them: on this node by a
// table lookup, on other nodes through whoever knows the way.
//
// Programs that exchange messages soon need one answer to where a process lives,
// who owns a message in flight, and what happens when nobody is there. This
// package gives that answer and leaves what a process is to others.
//
// # Basics
//
// A [PID] names a process: node, host, and an id that is unique within the host.
// Its text is "{host|uniq}", or "{node@host|uniq}" for a process elsewhere.
//
// A [Host] holds processes and receives their messages. A [Node] is the hosts of
// one node by id. A [Router] sends each [Message] to the right place: its own Node,
// a peer, or the internode transport.
//
//	node := relay.NewNode("n1")
//	node.Register("app:workers", host)
//	router := relay.NewRouter(node)
//	err := router.Send(relay.NewMessage(from, to, "job", payload.New(42)))
//
// A [MailboxHost] is a ready Host for handlers written in Go: a queue with several
// workers in front of receivers that are attached and detached.
//
// Package payload holds the values inside a message and converts their formats.
//
// # Guarantees
//
//   - A PID prints as a text that parses to the same PID, and two PIDs are equal
//     exactly when their texts are: FuzzParsePID, FuzzNewPID.
//   - Parsing, printing, routing and recycling a message cost no allocation:
//     TestHotPathDoesNotAllocate. A local route costs at most 40 ns on top of its
//     host: TestLocalRouteCostsAtMost40ns.
//   - The three tiers are tried in order, whatever is registered and removed
//     meanwhile: TestRouterMatchesItsModelProperty.
//   - An error from Send means that the message was not taken and is still the
//     caller's: TestNodeReportsWhatItCannotDeliver.
//   - A host that panics does not take the sender down: TestNodeContainsPanicsOfHosts.
//   - A MailboxHost handles the messages of one sender one at a time, in order,
//     and makes senders wait when it is full: TestMailboxHostKeepsOrderPerSenderProperty,
//     TestMailboxHostMakesSendersWaitWhenFull.
//
// # Ownership
//
// A message has one owner. NewMessage makes the caller the owner, Send and Receive
// that return nil pass ownership on, the last owner calls Release. Releasing is
// optional; using a message after giving it away is a data race.
//
// # Errors
//
// Errors are of type [Error] and match the sentinels of this package under
// errors.Is. They carry a kind (NotFound, Invalid, ...) and details such as the host
// id, which other layers pass on to programs.
//
// # Caveats
//
// Send runs the host's Receive on the goroutine of the sender. A host that takes
// long makes its senders slow; a MailboxHost in front of it turns that into waiting
// for room.
//
// A nil error says that the host took the message, not that a process read it.
//
// Order is per pair of sender and receiver, as long as the sender sends from one
// goroutine at a time and the route does not change.
//
// A parsed PID shares memory with the text it was parsed from and keeps it alive.
// Clone the text first when it is a small piece of something big.
package relay
