// SPDX-License-Identifier: Apache-2.0

// Package yaml is the Lua module yaml: YAML text to Lua values and back.
//
// # Basics
//
// [Encode] writes block style with sorted keys, [Decode] reads the first document of a text. Both work on Lua values
// directly and are usable without the module. Numbers that are whole are written as integers; an integer that
// a Lua number cannot represent is decoded as a string of its digits, a date or time as Unix seconds.
//
// # Guarantees
//
//   - No text makes decoding panic (FuzzDecode). Its time is linear in the length of the text
//     (TestDecodeIsLinear), and its result is bounded, whatever aliases multiply (TestDecodeIsBounded).
//   - What is encoded reads back as the same value (TestRoundTrip).
//   - The same table gives the same text (TestNaturalOrder).
//   - Nothing is dropped in silence: keys that would get the same text in Lua are an error, as are integers beyond
//     64 bits.
//
// # Caveats
//
// Texts are at most 16 MiB long, in both directions. Comments and the style of the source are not kept.
package yaml
