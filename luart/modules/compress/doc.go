// SPDX-License-Identifier: Apache-2.0

// Package compress is the Lua module compress: gzip (RFC 1952), deflate (RFC 1951), zlib (RFC 1950), brotli
// (RFC 7932) and zstd (RFC 8878), the last one also with dictionaries.
//
// # Basics
//
// Every codec is a table with the functions encode(data, options) and decode(data, options). Both work on whole
// strings, within the calling step.
//
// # Guarantees
//
//   - Decoding never makes more than the option max_size allows, and stops as soon as there is more
//     (TestBombsAreStopped). No data makes it panic (FuzzDecode, FuzzDictionary).
//   - Encoding and decoding of what is not zstd, and encoding with it, end when the process is terminated
//     (TestWorkEndsWithItsProcess).
//   - A dictionary is a zstd dictionary as the zstd tool makes and reads them, 1.5.5 and earlier included.
//
// # Caveats
//
// Encoders are kept for the next call. The strongest levels of brotli and zstd hold some 10 to 100 MB each until the
// next garbage collection. A zstd frame whose window is larger than max_size and than 8 MiB, the size that RFC 8878
// asks decoders to support, is refused. Training looks at up to 16 MiB of samples.
package compress
