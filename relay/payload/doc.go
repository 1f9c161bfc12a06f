// SPDX-License-Identifier: Apache-2.0

// Package payload holds the values that processes exchange, each with its format,
// and converts them between formats.
//
// The sender of a value should not have to know what its receiver reads, nor each
// format how to become every other. A [Payload] therefore says what it is, and a
// [Transcoder] chains the conversions it knows along the cheapest path.
//
// # Basics
//
//	tc := payload.NewDefault()
//	out, err := tc.Transcode(payload.Payload{Format: payload.YAML, Data: text}, payload.JSON)
//
// [NewDefault] converts between Go values, JSON, YAML, MessagePack, text and bytes.
// [Transcoder.Register] adds formats, as the Lua runtime does with its own.
//
// # Guarantees
//
//   - The path taken has the least cost, and of those the fewest conversions:
//     TestTranscodeCostIsMinimalProperty.
//   - A known path costs no allocation beyond what its conversions allocate:
//     TestCachedPathDoesNotAllocate.
//   - No input makes a default conversion panic, overflow the stack or allocate
//     out of proportion: FuzzTextFormats, FuzzMsgpackToGo,
//     TestMsgpackClaimsDoNotAllocate, TestDefaultConversionsRefuseBadData.
//   - Values survive MessagePack unchanged: TestMsgpackRoundTripsProperty.
//   - No map entry is lost when keys become text; two that read the same are an
//     error: TestDefaultConversionsRefuseBadData.
//
// # Caveats
//
// Payloads are immutable once sent. Conversions may return data that shares memory
// with what they were given.
//
// JSON numbers become float64, so whole numbers beyond 2^53 lose digits there.
//
// Cycles are found in maps and slices of any, not in structs and pointers of other
// types, which YAML and MessagePack follow without end.
package payload
