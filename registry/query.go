// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Query is a compiled search. It is immutable.
type Query struct {
	criteria []criterion
	warnings []string
}

type operator uint8

const (
	opGlob   operator = iota // of a root field
	opEqual                  // every item of want occurs
	opRegexp                 // the rest: of string metadata, or any item of a list
	opContains
	opPrefix
	opSuffix
)

type criterion struct {
	op    operator
	root  string // kind, ns, name, id for opGlob
	field string // metadata path
	dim   string // of the field; see dimension
	text  string
	star  bool  // of opGlob: the text has a "*"
	want  []any // normalised scalars
	list  bool  // a list was asked for: a scalar field does not match
	re    *regexp.Regexp
}

// CompileQuery compiles a query: criteria keyed by what they look at, all of which
// must hold. An empty query matches everything.
//
//	".kind", ".ns", ".name", ".id"  text with "*" for any run of characters; the dot
//	                                may be left out
//	"meta.F"                        equal to the metadata field F; the field may also
//	                                be a list with such an item; for a list of values,
//	                                a list that holds all of them
//	"~meta.F"                       RE2 regular expression that matches the string
//	"*meta.F", "^meta.F", "$meta.F" the string contains, starts with, ends with the text
//	"F"                             the same as "meta.F"
//	"meta"                          a map: its keys are metadata fields, or keys as above
//
// The four operators on strings also look at the items of lists. F may be a dotted path
// into nested metadata; a field whose name contains the dots goes first. What cannot be
// used is left out and named by Warnings.
func CompileQuery(query map[string]any) *Query {
	return compile(query, regexp.Compile)
}

// Warnings names the criteria that were ignored and why.
func (q *Query) Warnings() []string { return q.warnings }

func compile(query map[string]any, re func(string) (*regexp.Regexp, error)) *Query {
	q := &Query{}
	keys := make([]string, 0, len(query))
	for k := range query {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		q.add(k, query[k], re)
	}
	return q
}

func (q *Query) warn(format string, args ...any) {
	q.warnings = append(q.warnings, fmt.Sprintf(format, args...))
}

func (q *Query) add(key string, v any, re func(string) (*regexp.Regexp, error)) {
	if m, ok := v.(map[string]any); ok && key == "meta" {
		for _, k := range sortedKeys(m) {
			if _, ok := operators[first(k)]; ok || strings.HasPrefix(k, ".") || strings.HasPrefix(k, "meta.") {
				q.add(k, m[k], re) // written in full all the same
			} else {
				q.addMeta(k, m[k])
			}
		}
		return
	}
	if rest, ok := strings.CutPrefix(key, "."); ok {
		if root := rootField(rest); root != "" {
			q.addRoot(key, root, v)
		} else {
			q.warn("unknown field %q", key)
		}
		return
	}
	if root := rootField(key); root != "" {
		q.addRoot(key, root, v)
		return
	}
	if op, ok := operators[first(key)]; ok {
		field, ok := strings.CutPrefix(key[1:], "meta.")
		text, isText := v.(string)
		switch {
		case !ok:
			q.warn("metadata field must use 'meta.' prefix: %q", key)
		case !isText:
			q.warn("%q: the value must be a string, got %T", key, v)
		default:
			q.addText(key, criterion{op: op, field: field, dim: "meta." + field, text: text}, re)
		}
		return
	}
	q.addMeta(strings.TrimPrefix(key, "meta."), v)
}

var operators = map[byte]operator{'~': opRegexp, '*': opContains, '^': opPrefix, '$': opSuffix}

func first(s string) byte {
	if s == "" {
		return 0
	}
	return s[0]
}

func rootField(name string) string {
	switch name {
	case "kind", "name", "id", "ns":
		return name
	case "namespace":
		return "ns"
	}
	return ""
}

func (q *Query) addRoot(key, root string, v any) {
	text, ok := v.(string)
	if !ok {
		q.warn("%q: the value must be a string, got %T", key, v)
		return
	}
	q.criteria = append(q.criteria, criterion{op: opGlob, root: root, text: text, star: strings.Contains(text, "*")})
}

func (q *Query) addText(key string, c criterion, re func(string) (*regexp.Regexp, error)) {
	if c.op == opRegexp {
		var err error
		if c.re, err = re(c.text); err != nil {
			q.warn("%q: %v", key, err)
			return
		}
	}
	q.criteria = append(q.criteria, c)
}

func (q *Query) addMeta(field string, v any) {
	n, err := NormalizeValue(v)
	if err != nil {
		q.warn("%q: %v", field, err)
		return
	}
	switch n := n.(type) {
	case map[string]any:
		for _, k := range sortedKeys(n) {
			q.addMeta(field+"."+k, n[k])
		}
	case []any:
		q.criteria = append(q.criteria, criterion{op: opEqual, field: field, dim: "meta." + field, want: n, list: true})
	default:
		q.criteria = append(q.criteria, criterion{op: opEqual, field: field, dim: "meta." + field, want: []any{n}})
	}
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// Match reports whether the entry meets all criteria.
func (q *Query) Match(e Entry) bool { return q.match(&e) }

func (q *Query) match(e *Entry) bool { return q.matchBut(-1, e) }

// matchBut is match without one of the criteria, or with all when skip is negative.
func (q *Query) matchBut(skip int, e *Entry) bool {
	for i := range q.criteria {
		if i != skip && !q.criteria[i].match(e) {
			return false
		}
	}
	return true
}

func (c *criterion) match(e *Entry) bool {
	if c.op == opGlob {
		return c.matchRoot(e)
	}
	v, ok := Lookup(e.Meta, c.field)
	if !ok {
		return false
	}
	list, isList := v.([]any)
	if c.op == opEqual {
		if !isList {
			return !c.list && EqualValues(v, c.want[0])
		}
		for _, w := range c.want {
			if !slices.ContainsFunc(list, func(x any) bool { return EqualValues(x, w) }) {
				return false
			}
		}
		return true
	}
	if !isList {
		return c.matchText(v)
	}
	return slices.ContainsFunc(list, c.matchText)
}

func (c *criterion) matchText(v any) bool {
	s, ok := v.(string)
	return ok && c.matchString(s)
}

// dimension returns the name of the dimension of the index that answers the criterion.
func (c *criterion) dimension() string {
	switch {
	case c.op == opGlob:
		return c.root
	case c.dim != "":
		return c.dim
	}
	return "meta." + c.field
}

// matchString tells whether a text meets the criterion, which must be one on texts.
func (c *criterion) matchString(s string) bool {
	switch c.op {
	case opGlob:
		if !c.star {
			return c.text == s
		}
		return glob(c.text, s)
	case opRegexp:
		return c.re.MatchString(s)
	case opContains:
		return strings.Contains(s, c.text)
	case opPrefix:
		return strings.HasPrefix(s, c.text)
	default:
		return strings.HasSuffix(s, c.text)
	}
}

func (c *criterion) matchRoot(e *Entry) bool {
	switch c.root {
	case dimKind:
		return c.matchString(e.Kind)
	case dimNS:
		return c.matchString(e.ID.Namespace)
	case dimName:
		return c.matchString(e.ID.Name)
	}
	if !c.star {
		return ParseID(c.text) == e.ID
	}
	return glob(c.text, e.ID.String())
}

// glob matches with any number of "*", each standing for any run of characters.
func glob(pattern, s string) bool {
	head, rest, ok := strings.Cut(pattern, "*")
	if !ok {
		return pattern == s
	}
	if !strings.HasPrefix(s, head) {
		return false
	}
	s = s[len(head):]
	for {
		part, more, ok := strings.Cut(rest, "*")
		if !ok {
			return strings.HasSuffix(s, part)
		}
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s, rest = s[i+len(part):], more
	}
}
