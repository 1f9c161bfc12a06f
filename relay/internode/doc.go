// SPDX-License-Identifier: Apache-2.0

// Package internode is the protocol between two nodes: frames on a stream, messages in
// frames, a handshake in which both sides prove that they know a secret, and the numbers
// by which no message arrives twice.
//
// It is the ground floor of the internode transport: what is here neither dials nor
// listens, and exports nothing but its errors yet.
//
// # Protocol
//
// A stream is frames: four bytes for the length of the rest, a byte for the kind, a body.
// Until both sides have proved themselves, a frame has at most 512 bytes.
//
//	dialing side                          accepting side
//	hello: version, session, nonce,
//	  what it has of the other, name  →
//	                                  ←   hello
//	proof                             →
//	                                  ←   proof
//	messages, acks, pings, pongs      ↔
//
// A proof is HMAC-SHA256, under the secret, of the side that makes it, both hellos, and
// what ties it to the channel below where there is TLS. The dialing side proves first:
// whoever merely connects learns nothing to try secrets on. Instead of any of its frames a
// side may send a refusal, which says why, and hang up.
//
// A message has a number that counts up within a session, which is one run of a node. The
// hello says what the last number was that has arrived from the other side's session, so
// that after a connection broke what was lost with it can be sent again, and nothing else.
//
// # Guarantees
//
//   - Frames and messages come out as they went in
//     (TestFramesComeOutAsTheyWentInProperty, TestMessagesComeOutAsTheyWentInProperty), and
//     share no memory with the stream.
//   - What is not of this protocol is an error that says what is wrong with it, never a
//     panic (TestFrameReaderRefusesWhatIsNoFrame, TestMalformedMessagesAreRefused,
//     FuzzFrameReader, FuzzDecodeMessage).
//   - However connections break, the numbers let a run of a node take every message once,
//     in order, up to where the last connection broke, and none that was for the run before
//     (TestMessagesArriveOnceInOrderProperty).
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
// Whoever is in the middle and sees a proof can try secrets on it without limit: a secret
// should be 16 random bytes or more, not a word.
//
// Data crosses as strings and bytes. Everything else has to be converted before.
package internode
