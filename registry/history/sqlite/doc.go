// SPDX-License-Identifier: Apache-2.0

// Package sqlite keeps the history of a registry in an SQLite database.
//
// # Basics
//
//	h, err := sqlite.Open(ctx, ".wippy/registry.db")
//	r, err := registry.New(registry.WithHistory(h))
//
// # Guarantees
//
// With the default synchronous=FULL a version is on disk before Append returns: killing
// the process at any instant loses no version that was reported, and shows none by half
// (TestKilledWriterLosesNothing). With synchronous=NORMAL the same holds for a crash of
// the process, but a power cut may lose the last versions; those that remain are whole.
//
// Every changeset carries an xxHash checksum over its version, parent and content. A
// damaged database is never read as something else: Open checks the structure of the
// file and reading checks the checksum, and both return a CorruptError that says how to
// get going again (TestOpenReportsADamagedFile, TestChangedBytesAreNoticed).
//
// # Caveats
//
// One registry at a time may write to a database. A second one is not kept out by a lock,
// but it notices: its Append fails with a conflict.
//
// The database uses write-ahead logging, so the directory must be writable, must not be
// on a network file system, and holds two more files while the database is open.
package sqlite
