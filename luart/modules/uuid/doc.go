// SPDX-License-Identifier: Apache-2.0

// Package uuid is the Lua module uuid: making, checking and taking apart the identifiers of RFC 9562.
//
// No call raises. Identifiers are written in lower case with hyphens; they are read in either case, also with the
// prefix urn:uuid:, in braces, and without hyphens.
//
// The node of version 1 is random, made once per module, and not the network address of the machine: an identifier
// gives nothing away but the time.
package uuid
