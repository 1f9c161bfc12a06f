// SPDX-License-Identifier: Apache-2.0

package uuid

import (
	"encoding/hex"

	"github.com/google/uuid"
)

// Parse reads an identifier of 36 characters, with or without urn:uuid: or braces around it, or of 32 hexadecimal
// digits. ok is false for any other text.
func Parse(text string) (id uuid.UUID, ok bool) {
	const braced = 38
	if len(text) == braced && (text[0] != '{' || text[braced-1] != '}') {
		return id, false // the library does not look at what is around the 36 characters
	}
	id, err := uuid.Parse(text)
	if err != nil {
		return uuid.UUID{}, false
	}
	return id, true
}

// simple is the form without hyphens.
func simple(id uuid.UUID) string { return hex.EncodeToString(id[:]) }
