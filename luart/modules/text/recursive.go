// SPDX-License-Identifier: Apache-2.0

package text

import (
	"errors"
	"strings"
	"unicode/utf8"
)

const (
	// maxChunks is how many chunks a text is cut into.
	maxChunks = 1 << 18
	// maxTitled is how long all chunks that are no part of the text may be together, in bytes: those with a heading
	// in front of them.
	maxTitled = 256 << 20
)

var errChunks = errors.New("text has too many chunks, or too long ones")

// sizes are those of chunks, in characters.
type sizes struct {
	chunk   int // as many are wanted in a chunk
	overlap int // so many of the end of a chunk may be repeated in the next one
}

// recursive cuts text at the first of its separators that there is, pieces that are still too long at the next one,
// and joins the small ones again to chunks. It is the recursive splitter of LangChain. Its chunks are parts of the
// text and take no memory of their own.
type recursive struct {
	sizes
	separators []string
	keep       bool // separators stay, at the beginning of what comes after them
}

// split returns the chunks.
func (r recursive) split(text string) ([]string, error) {
	var c chunks
	r.cut(&c, text, r.separators)
	return c.list, c.err
}

// chunks collects chunks, within the limits.
type chunks struct {
	list   []string
	titled int
	err    error
}

// add appends a chunk without the white space around it, unless nothing is left.
func (c *chunks) add(text string) {
	if text = strings.TrimSpace(text); text == "" || c.err != nil {
		return
	}
	if len(c.list) >= maxChunks {
		c.err = errChunks
		return
	}
	c.list = append(c.list, text)
}

// addTitled appends a chunk with a title in front of it.
func (c *chunks) addTitled(title, text string) {
	if c.titled += len(title) + len(text); c.titled > maxTitled {
		c.err = errChunks
		return
	}
	c.add(title + "\n" + text)
}

// cut cuts text at the first separator in it. When there is none, the last one is taken, and the text is one piece.
func (r recursive) cut(c *chunks, text string, separators []string) {
	separator, rest := separators[len(separators)-1], []string(nil)
	for i, s := range separators {
		if s == "" || strings.Contains(text, s) {
			separator, rest = s, separators[i+1:]
			break
		}
	}
	w := window{sizes: r.sizes, chunks: c, text: text}
	if !r.keep {
		w.gap = utf8.RuneCountInString(separator)
	}
	for at := 0; c.err == nil; {
		p := piece{at, at + next(text[at:], separator), 0}
		last := p.end == len(text)
		at = p.end + len(separator)
		if r.keep && p.begin > 0 {
			p.begin -= len(separator)
		}
		part := text[p.begin:p.end]
		p.chars = utf8.RuneCountInString(part)
		switch {
		case p.chars < r.chunk:
			w.push(p)
		case len(rest) == 0:
			w.finish()
			c.add(part)
		default:
			w.finish()
			r.cut(c, part, rest)
		}
		if last {
			break
		}
	}
	w.finish()
}

// next returns the length of what is before the next separator. When that is "", it is one character.
func next(text, separator string) int {
	if separator == "" {
		_, n := utf8.DecodeRuneInString(text)
		return n
	}
	if i := strings.Index(text, separator); i >= 0 {
		return i
	}
	return len(text)
}

// piece is a part of a text with its number of characters.
type piece struct{ begin, end, chars int }

// window makes chunks of small pieces, as large as allowed. A chunk begins with as many of the last pieces of the one
// before it as the overlap has room for.
type window struct {
	sizes
	chunks *chunks
	text   string
	gap    int // characters between two pieces
	pieces []piece
	total  int // characters of the pieces and of what is between them
}

func (w *window) push(p piece) {
	if len(w.pieces) > 0 && w.total+w.gap+p.chars > w.chunk {
		w.emit()
		for len(w.pieces) > 0 && (w.total > w.overlap || w.total+w.gap+p.chars > w.chunk) {
			w.pop()
		}
	}
	w.total += p.chars
	if len(w.pieces) > 0 {
		w.total += w.gap
	}
	w.pieces = append(w.pieces, p)
}

// pop forgets the first piece.
func (w *window) pop() {
	w.total -= w.pieces[0].chars
	if w.pieces = w.pieces[1:]; len(w.pieces) > 0 {
		w.total -= w.gap
	}
}

// emit makes a chunk of the pieces.
func (w *window) emit() {
	if n := len(w.pieces); n > 0 {
		w.chunks.add(w.text[w.pieces[0].begin:w.pieces[n-1].end])
	}
}

// finish makes the last chunk.
func (w *window) finish() {
	w.emit()
	w.pieces, w.total = nil, 0
}
