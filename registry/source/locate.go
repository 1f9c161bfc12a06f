// SPDX-License-Identifier: Apache-2.0

package source

import (
	"bytes"
	"fmt"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"
)

const (
	// maxLocate bounds the size of a file in which the place of a syntax error is
	// searched: that takes some thirty parses of what stands before the error, a second
	// for a file of this size.
	maxLocate = 256 << 10
	// maxStep bounds how far before the token that follows an error it is looked for.
	maxStep = 4096
)

// sentinel makes the parser fail in another way than with message when it reads beyond a
// text that was cut off. The padding keeps it out of the 512 bytes that the parser reads
// at a time.
func sentinel(message string) []byte {
	bad := byte(0xff)
	if strings.Contains(message, "UTF-8") {
		bad = 1 // a control character
	}
	return append(bytes.Repeat([]byte("\n"), 1024), bad)
}

// locate returns the offset at which the parser noticed an error. The library tells a
// line at most, and often that of the beginning of the block around the error. But it
// reads from front to back: a text cut off behind the error fails with the same words,
// one cut off before it does not. So the error is found by bisection.
func locate(raw []byte, text, message string) (offset int, ok bool) {
	if len(raw) == 0 || len(raw) > maxLocate || bytes.HasPrefix(raw, []byte("\xff\xfe")) || bytes.HasPrefix(raw, []byte("\xfe\xff")) {
		return 0, false
	}
	with := func(more []byte) func(int) bool {
		return func(n int) bool { return failsWith(slices.Concat(raw[:n], more), text) }
	}
	// A text can also fail with the same words because it ends too early. What is put
	// behind it tells the two apart.
	apart, exact := with(sentinel(message)), false
	if more := continuation(message); more != nil {
		apart, exact = with(more), true
	}
	n := sort.Search(len(raw), apart)
	if n == len(raw) && !apart(n) {
		// It is the end of the file that is wrong, such as an open quote.
		if n, ok = unfinished(raw, with(nil)); !ok {
			return 0, false
		}
	} else if !exact {
		// The parser looks some tokens ahead: the error is that much before n.
		from, fails := max(n-maxStep, 0), with(nil)
		n = from + sort.Search(n-from, func(i int) bool { return fails(from + i) })
	}
	if n == 0 {
		return 0, false
	}
	return mistake(raw, runeStart(raw, n-1), message), true
}

// continuation is what to put behind a text that was cut off inside brackets: without it
// such a text fails with the words for a mistake there. The tokens are in order, but the
// anchor they refer to does not exist, which fails with other words.
func continuation(message string) []byte {
	switch {
	case strings.HasPrefix(message, "did not find expected ',' or"):
		return []byte(" , *end, *end, *end")
	case message == "did not find expected node content":
		return []byte(" *end, *end, *end")
	}
	return nil
}

func failsWith(raw []byte, text string) bool {
	_, err := unmarshal(raw)
	return err != nil && err.Error() == text
}

// unfinished returns the length from which on a text that ends too early fails, to the
// line, and to the character in a line of ordinary length.
func unfinished(raw []byte, fails func(int) bool) (n int, ok bool) {
	ends := []int{0}
	for i, c := range raw {
		if c == '\n' {
			ends = append(ends, i+1)
		}
	}
	ends = append(ends, len(raw))
	line := sort.Search(len(ends), func(i int) bool { return fails(ends[i]) })
	if line == len(ends) || line == 0 {
		return 0, false
	}
	n = ends[line]
	if n-ends[line-1] > 512 {
		return n, true
	}
	// From the end: a cut inside an earlier string of the line fails just so.
	for n-1 > ends[line-1] && fails(n-1) {
		n--
	}
	return n, true
}

// runeStart returns the offset of the character that the byte at i belongs to.
func runeStart(raw []byte, i int) int {
	for back := 1; back < utf8.UTFMax && back <= i; back++ {
		if _, size := utf8.DecodeRune(raw[i-back:]); size > back {
			return i - back
		}
	}
	return i
}

// mistake steps back from the character at which an error was noticed to what a person
// would call the mistake.
func mistake(raw []byte, at int, message string) int {
	line := bytes.LastIndexByte(raw[:at], '\n') + 1
	switch {
	case strings.HasPrefix(message, "unknown anchor"):
		if i := bytes.LastIndexByte(raw[line:at], '*'); i >= 0 {
			return line + i
		}
	case raw[at] == '\n' && at > line:
		return runeStart(raw, at-1)
	case raw[at] == ':' && strings.HasPrefix(message, "did not find expected"):
		for line < at && (raw[line] == ' ' || raw[line] == '-' && raw[line+1] == ' ') {
			line++
		}
		return line
	}
	return at
}

// lineCol counts lines and characters from 1.
func lineCol(raw []byte, at int) (line, col int) {
	start := bytes.LastIndexByte(raw[:at], '\n') + 1
	return bytes.Count(raw[:at], []byte("\n")) + 1, utf8.RuneCount(raw[start:at]) + 1
}

// yamlHint says in plain words what usually causes an error at the character c. line is
// what the library told.
func yamlHint(message string, c byte, line int) string {
	switch {
	case c == '\t':
		return "indent with spaces, not tabs"
	case message == "mapping values are not allowed in this context":
		return `put a value that contains ": " in quotes, or correct the indentation`
	case message == "found unexpected end of stream":
		return "the quote opened here is never closed"
	case strings.HasPrefix(message, "did not find expected ',' or"):
		return fmt.Sprintf("a comma is missing, or the bracket opened on line %d is not closed", line)
	case message == "did not find expected key", message == "did not find expected '-' indicator":
		return "check the indentation: this does not continue the block above it"
	case message == "found character that cannot start any token":
		return fmt.Sprintf("put a value that begins with %q in quotes", string(rune(c)))
	case message == "could not find expected ':'":
		return `a key and its value are separated by ": "`
	}
	return ""
}
