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
//   - With the default synchronous=FULL a version is on disk before Append returns. A
//     process killed at any instant, also while it moves between versions, has lost no
//     version it reported, shows none by half, and starts again
//     (TestKilledWriterLosesNothing). With synchronous=NORMAL the same holds for the death
//     of the process, but a power cut may lose the last versions; those that remain are
//     whole.
//   - Damage is never read as something else. Everything a version consists of, and the
//     head, is under an xxHash checksum. Open checks the write-ahead log, the trees and the
//     definitions of the file and every checksum; reading checks again. What is wrong is
//     returned as a CorruptError, which tells how to get going again, and the file is left
//     as it is (TestChangedBitInTheFileIsReportedOrHarmless, TestCutOffFileIsReported,
//     TestChangedBitInTheLogIsReportedOrTakesTheLastVersion,
//     TestChangedContentIsNoticedByOpenAndWhenItIsRead,
//     TestOpenNoticesWhatIsMissingOrChanged, TestOpenLeavesADamagedDatabaseAsItIs).
//   - A write-ahead log that is cut off leaves the versions before the cut
//     (TestCutOffLogLeavesAPrefix).
//   - Salvage copies all versions that are whole out of a damaged database
//     (TestSalvageKeepsEveryWholeVersionWithAWayToTheRoot).
//   - Databases of older programs are brought to the present form, in one transaction and
//     only when their checksums are right (TestOlderSchemaIsMigrated,
//     TestDamagedOlderSchemaIsReportedAndNotMigrated); those of newer and of other programs
//     are refused (TestNewerSchemaIsRefused, TestDatabaseOfAnotherProgramIsRefused).
//
// # Format
//
// The database can be read by the program sqlite3 while it is in use
// (TestDocumentedQueriesWorkInTheShellWhileTheDatabaseIsOpen):
//
//	sqlite3 registry.db 'SELECT * FROM log'
//
//	metadata(key, value, checksum)           "schema_version": 2; "head": ID of the present version
//	versions(id, parent_id, time, author, comment, summary)
//	                                         time is ISO 8601 in UTC; summary names the first 20
//	                                         operations: +created ~updated -deleted
//	changesets(version_id, data, checksum)   data is MessagePack, see below
//	log                                      a view of versions that marks the head
//	appended                                 a view whose trigger stores a version
//
// Version 0 is the root, with an empty changeset and without a parent. data is an array of
// maps with the keys op ("entry.create", "entry.update", "entry.delete"), id, kind, meta,
// data and, for updates and deletes, original, which is the entry before, with id, kind,
// meta and data. All numbers are 64-bit floats. The checksum of a changeset is the xxHash64
// of id and parent (8 bytes each, little-endian), time, author, comment and summary (each
// after its length in 8 bytes) and data; that of metadata is the xxHash64 of key=value.
// application_id is "wreg".
//
// # Caveats
//
// One registry at a time may write to a database. A second one is not kept out by a lock,
// unless it asks for one with [WithExclusive] (TestExclusiveHistoryExcludesOthers), but it
// notices: its Append fails with a ConflictError.
//
// Checksums do not tell an unfinished transaction from damage in the last one, nor notice
// that a whole log is missing: both lose versions from the end only. They are no protection
// against somebody who wants to deceive.
//
// The database uses write-ahead logging, so the directory must be writable, must not be
// on a network file system, and holds two more files while the database is open.
package sqlite
