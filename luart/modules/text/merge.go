// SPDX-License-Identifier: Apache-2.0

package text

import "slices"

// maxRounds bounds how often merge goes over the edits. Each round leaves fewer of them; two or three are usual.
const maxRounds = 100

// merge brings edits into their usual form: no two of a kind next to each other, deletions before insertions, nothing
// in common between a deletion and the insertion after it, and no equality that a shift of an edit makes superfluous.
func merge(edits []edit) []edit {
	for range maxRounds {
		edits = join(edits)
		shifted := false
		if edits, shifted = shift(edits); !shifted {
			return edits
		}
	}
	return join(edits)
}

// join makes one deletion and one insertion of all that are between two equalities.
func join(edits []edit) []edit {
	var parts [4][]rune // usually enough
	j := joiner{out: make([]edit, 0, len(edits)+1), deleted: parts[:0:2], inserted: parts[2:2]}
	for _, e := range edits {
		switch e.op {
		case deletion:
			j.deleted = append(j.deleted, e.text)
		case insertion:
			j.inserted = append(j.inserted, e.text)
		default:
			j.flush()
			j.put(equal, e.text)
		}
	}
	j.flush()
	return j.out
}

// joiner has the edits that are done, and the parts of the run of deletions and insertions at hand.
type joiner struct {
	out               []edit
	deleted, inserted [][]rune
}

// put appends an edit, or extends the last one when it is of the same kind.
func (j *joiner) put(op operation, text []rune) {
	if len(text) == 0 {
		return
	}
	if n := len(j.out); n > 0 && j.out[n-1].op == op {
		j.out[n-1].text = slices.Concat(j.out[n-1].text, text)
		return
	}
	j.out = append(j.out, edit{op, text})
}

// flush ends a run of deletions and insertions.
func (j *joiner) flush() {
	d, i := concat(j.deleted), concat(j.inserted)
	j.deleted, j.inserted = j.deleted[:0], j.inserted[:0]
	if len(d) == 0 || len(i) == 0 {
		j.put(deletion, d)
		j.put(insertion, i)
		return
	}
	p := commonPrefix(d, i)
	j.put(equal, i[:p])
	d, i = d[p:], i[p:]
	s := commonSuffix(d, i)
	suffix := i[len(i)-s:]
	j.put(deletion, d[:len(d)-s])
	j.put(insertion, i[:len(i)-s])
	j.put(equal, suffix)
}

// concat is slices.Concat without a copy of a single part.
func concat(parts [][]rune) []rune {
	if len(parts) == 1 {
		return parts[0]
	}
	return slices.Concat(parts...)
}

// shift moves single edits over the equality before or after them, where that leaves one equality less: A<ins>BA</ins>C
// becomes <ins>AB</ins>AC. It reports whether there was any.
func shift(edits []edit) (out []edit, shifted bool) {
	out = make([]edit, 0, len(edits))
	for i := 0; i < len(edits); i++ {
		e := edits[i]
		n := len(out)
		if e.op == equal || n == 0 || out[n-1].op != equal || i+1 == len(edits) || edits[i+1].op != equal {
			out = append(out, e)
			continue
		}
		before, after := out[n-1].text, edits[i+1].text
		switch {
		case len(e.text) >= len(before) && slices.Equal(e.text[len(e.text)-len(before):], before):
			moved := slices.Concat(before, e.text[:len(e.text)-len(before)])
			out[n-1] = edit{e.op, moved}
			edits[i+1].text = slices.Concat(before, after)
			shifted = true
		case len(e.text) >= len(after) && slices.Equal(e.text[:len(after)], after):
			out[n-1].text = slices.Concat(before, after)
			out = append(out, edit{e.op, slices.Concat(e.text[len(after):], after)})
			i++ // the equality after it is gone
			shifted = true
		default:
			out = append(out, e)
		}
	}
	return out, shifted
}
