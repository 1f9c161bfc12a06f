// SPDX-License-Identifier: Apache-2.0

// Package archive is the Lua module archive: reading and writing zip and tar archives, the latter plain or
// compressed with gzip or zstd.
//
// # Basics
//
// A Reader knows all entries of an archive and gets at each of them; it needs a source with random access and a format
// that allows it (zip, tar). A Walker goes through the entries once and works with any source and format. A Writer
// makes an archive. None of them holds an archive or an entry in memory, but for Reader:read and archives that are
// strings.
//
// The module has no files of its own: programs bring file systems, files and streams as values of other modules. What
// they must be able to do is in [Config], [FS] and the interfaces of package io: a userdata is a source when its Go
// value is an io.Reader, and a destination when it is an io.Writer.
//
// # Guarantees
//
//   - Nothing is written outside of the place a program names: entries with absolute paths, drive letters or ".." are
//     not extracted, links never (TestUnsafeNames, TestLinksAreNotExtracted).
//   - What is unpacked is bounded by the options max_entries, max_file_bytes, max_total_bytes and max_inline_bytes;
//     what an archive says about the size of an entry is not relied on (TestBombs).
//   - A damaged archive is an error of kind Invalid (FuzzOpen, FuzzScan).
//   - Copying stops soon after the process was asked to end.
//
// # Caveats
//
// The calls do not yield: extracting a large archive holds up the process that does it, not others. Entries with other
// methods than store and deflate, and encrypted ones, are listed but cannot be read.
package archive
