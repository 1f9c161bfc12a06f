// SPDX-License-Identifier: Apache-2.0

// Package internode is the protocol between two nodes: frames on a stream, messages in
// frames, a handshake in which both sides prove that they know a secret, numbers by which
// no message arrives twice, and the connection that carries it all.
//
// # Basics
//
// A [Transport] listens, dials its peers, and is what relay.Router.SetInternode wants:
//
//	t, err := internode.Listen(internode.Config{
//		Node: "a", Listen: ":7950", Peers: map[string]string{"b": "10.0.0.2:7950"},
//		Secret: secret, Transcoder: transcoder, Deliver: deliver,
//	})
//	router.SetInternode(t)
//
// Of two nodes the one whose name sorts first dials, again after 10 ms, doubling to 5 s,
// when it does not succeed. A connection that breaks and is replaced within
// [Config.Patience] is nobody's business; otherwise [Config.Down] is called.
//
// # Protocol
//
// A stream is frames: four bytes for the length of the rest, a byte for the kind, a body.
// Until both sides have proved themselves, a frame has at most 512 bytes.
//
//	dialing side                          accepting side
//	hello: version, session, nonce, what
//	  it has of the other, epoch, name →
//	                                  ←   hello
//	proof                             →
//	                                  ←   proof
//	messages, acks, beats             ↔
//
// A proof is HMAC-SHA256, under the secret, of the side that makes it, both hellos, and
// what ties it to the channel below where there is TLS. The dialing side proves first:
// whoever merely connects learns nothing to try secrets on. Instead of any of its frames a
// side may send a refusal, which says why, and hang up.
//
// A message has a number that counts up within a session, which is one run of a node. The
// hello says what the last number was that has arrived from the other side's session, so
// that after a connection broke what was lost with it can be sent again, and nothing else.
// An ack names the last number that has arrived; it goes with other frames or after 64
// messages.
//
// A beat is sent once a second or so whatever happens, and needs no answer. A side that has
// heard nothing for several beats hangs up.
//
// A connection is in the handshake, then carries messages, and ends with the first error.
// Between connections messages wait in a queue that is bounded in number and bytes; a full
// one refuses them.
//
// The time in which two nodes can reach each other is an epoch. A node that takes the other
// for lost says so in its next hello, by a number one higher; the higher of the two is what
// both go on with, so that an epoch ends for both if it ends for one. A new run makes it
// higher as well.
//
// # Guarantees
//
//   - Frames and messages come out as they went in
//     (TestFramesComeOutAsTheyWentInProperty, TestMessagesComeOutAsTheyWentInProperty), and
//     share no memory with the stream.
//   - What is not of this protocol is an error that says what is wrong with it, never a
//     panic (TestFrameReaderRefusesWhatIsNoFrame, TestMalformedMessagesAreRefused,
//     FuzzFrameReader, FuzzDecodeMessage).
//   - However connections break, a run of a node gets what was first sent to it once and
//     in order, up to where the last connection to it broke; what was never sent waits for
//     the next run (TestMessagesArriveOnceInOrderProperty, TestEitherSideMayStartAnew,
//     TestConcurrentSendersLoseNothingToBrokenConnections).
//   - Who is silent is given up in time (TestSilentConnectionIsGivenUp), who is idle or busy
//     is not (TestIdleConnectionHolds); a receiver that waits holds up those who send to its
//     node, not what its own node sends (TestReceiverThatWaitsHoldsUpItsSenderOnly).
//   - A lost node is reported once (TestLostNodeIsReportedAndItsNextRunIsWelcome,
//     TestPartitionIsReportedAndHeals), on both sides if on one, in whatever order connections
//     break and handshakes fail (TestEpochsAreThoseOfBothProperty); a short break is not and
//     loses nothing (TestMessagesSurviveCutCablesOnceInOrder), nor is a slow network
//     (TestSlowNetworkIsNoLoss).
//   - Only peers get a connection (TestOnlyPeersWithTheSecretConnect).
//   - A frame out of place, a false ack or a gap in the numbers ends the connection
//     (TestMisbehaviourEndsTheConnection).
//   - Memory is taken for what has arrived, not for what was announced
//     (TestClaimedLengthDoesNotAllocate).
//   - A sender is never taken for a process of the receiving node for want of a node name
//     (TestSenderIsNamedByItsNode, TestMalformedMessagesAreRefused).
//   - Nobody gets through the handshake without the secret (FuzzHandshake,
//     TestHandshakeIsRefused), with what was recorded (TestHandshakeCannotBeReplayed), with
//     what the other side said itself (TestProofCannotBeReflected) or by changing a hello
//     (TestChangedHelloIsNotBelieved); and the secret stays at home
//     (TestHandshakeKeepsTheSecret).
//
// # Caveats
//
// Without TLS the handshake says who is at the other end when the connection begins.
// Messages are then neither encrypted nor protected against somebody who can change what is
// on the way.
//
// Nodes that know the secret trust each other: one may send in the name of a process of a
// third.
//
// Whoever is in the middle and sees a proof can try secrets on it without limit: a secret
// should be 16 random bytes or more, not a word.
//
// Data crosses as strings and bytes. Everything else is converted to MessagePack before.
//
// What is queued when a node is lost waits for it or its next run.
package internode
