// SPDX-License-Identifier: Apache-2.0

package yaml

import (
	"cmp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// natural compares keys so that numbers within them count by their value: f2 is less than f10, and 1.9 than 1.10.
// It is the order in which the YAML library sorts the keys of Go maps: other characters come before letters, except
// after a digit, where a letter comes before other characters.
func natural(a, b string) int {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	if i == len(a) || i == len(b) {
		return cmp.Compare(len(a), len(b))
	}
	for i > 0 && !utf8.RuneStart(a[i]) {
		i-- // the difference is within a character
	}
	x, _ := utf8.DecodeRuneInString(a[i:])
	y, _ := utf8.DecodeRuneInString(b[i:])
	switch lx, ly := unicode.IsLetter(x), unicode.IsLetter(y); {
	case lx && ly:
		return cmp.Or(cmp.Compare(x, y), strings.Compare(a, b))
	case lx || ly:
		before, _ := utf8.DecodeLastRuneInString(a[:i])
		if lx == unicode.IsDigit(before) {
			return -1
		}
		return 1
	}
	// The numbers that differ begin before the difference.
	start := i
	for start > 0 && digit(a[start-1]) {
		start--
	}
	p, q := digits(a[start:]), digits(b[start:])
	return cmp.Or(compareNumbers(p, q), cmp.Compare(len(p), len(q)), cmp.Compare(x, y), strings.Compare(a, b))
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

// digits returns the digits that s begins with.
func digits(s string) string {
	n := 0
	for n < len(s) && digit(s[n]) {
		n++
	}
	return s[:n]
}

// compareNumbers compares numbers of any length. No digits are 0.
func compareNumbers(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}
