// SPDX-License-Identifier: Apache-2.0

package yaml

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	lua "github.com/yuin/gopher-lua"
	"go.yaml.in/yaml/v3"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/internal/host"
)

// maxOutput is how long an encoded text may be: what is encoded can be decoded.
const maxOutput = maxInput

var errOutput = fmt.Errorf("yaml: text is longer than %d bytes", maxOutput)

// Options say how mappings are written.
type Options struct {
	// FieldOrder are the keys that come first, in this order, in every mapping.
	FieldOrder []string
	// SortUnordered sorts the other keys by their bytes. Without it numbers within keys count: f2 comes before f10.
	SortUnordered bool
}

// indent is the number of spaces of one level.
func (o Options) indent() int {
	if len(o.FieldOrder) > 0 || o.SortUnordered {
		return 2
	}
	return 4
}

// Encode renders a Lua value as a YAML document that ends with a newline. A table with a positive integer key is
// a sequence, with null where it has holes, and its other keys are dropped; any other table is a mapping. It fails
// for tables that contain themselves and for values that are nested too deep or too large.
func Encode(v lua.LValue, o Options) (string, error) { return encodeValue(nil, v, o) }

// encodeValue is Encode with the state for the texts of userdata.
func encodeValue(L *lua.LState, v lua.LValue, o Options) (string, error) {
	e := encoder{L: L, options: o, rank: make(map[string]int, len(o.FieldOrder))}
	for i, name := range o.FieldOrder {
		if _, twice := e.rank[name]; !twice {
			e.rank[name] = i
		}
	}
	node, err := e.value(v)
	if err != nil {
		return "", err
	}
	var out limited
	w := yaml.NewEncoder(&out)
	w.SetIndent(o.indent())
	if err := errors.Join(w.Encode(node), w.Close()); err != nil {
		if out.full {
			return "", errOutput
		}
		return "", err
	}
	return out.String(), nil
}

// limited is a builder that refuses what is too long.
type limited struct {
	strings.Builder
	full bool
}

func (l *limited) Write(p []byte) (int, error) {
	if l.Len()+len(p) > maxOutput {
		l.full = true
		return 0, errOutput
	}
	return l.Builder.Write(p)
}

type encoder struct {
	L       *lua.LState
	options Options
	rank    map[string]int // place of a key in FieldOrder
	walk    host.Walk
}

func (e *encoder) value(v lua.LValue) (*yaml.Node, error) {
	if err := e.walk.Count(0); err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case *lua.LNilType:
		return scalar("!!null", "null"), nil
	case lua.LBool:
		return scalar("!!bool", strconv.FormatBool(bool(v))), nil
	case lua.LNumber:
		return number(v), nil
	case *lua.LTable:
		return e.table(engine.Unwrap(v))
	case lua.LString:
		return e.text(string(v))
	}
	return e.text(host.Text(e.L, v))
}

func (e *encoder) table(t *lua.LTable) (*yaml.Node, error) {
	if err := e.walk.Enter(t); err != nil {
		return nil, err
	}
	defer e.walk.Leave()
	n, err := host.Length(t)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return e.mapping(t)
	}
	node := &yaml.Node{Kind: yaml.SequenceNode, Content: make([]*yaml.Node, n)}
	for i := range node.Content {
		if node.Content[i], err = e.value(t.RawGetInt(i + 1)); err != nil {
			return nil, err
		}
	}
	return node, nil
}

// member is one key of a mapping in the making.
type member struct {
	key   string
	value lua.LValue
}

func (e *encoder) mapping(t *lua.LTable) (*yaml.Node, error) {
	var members []member
	t.ForEach(func(k, v lua.LValue) { members = append(members, member{host.Text(e.L, k), v}) })
	slices.SortFunc(members, e.compare)

	node := &yaml.Node{Kind: yaml.MappingNode, Content: make([]*yaml.Node, 0, 2*len(members))}
	for i, m := range members {
		if i > 0 && m.key == members[i-1].key {
			return nil, host.SameText(m.key)
		}
		key, err := e.text(m.key)
		if err != nil {
			return nil, err
		}
		value, err := e.value(m.value)
		if err != nil {
			return nil, err
		}
		node.Content = append(node.Content, key, value)
	}
	return node, nil
}

// compare is the order of keys.
func (e *encoder) compare(a, b member) int {
	ra, oka := e.rank[a.key]
	rb, okb := e.rank[b.key]
	switch {
	case oka && okb:
		return ra - rb
	case oka:
		return -1
	case okb:
		return 1
	case e.options.SortUnordered:
		return strings.Compare(a.key, b.key)
	}
	return natural(a.key, b.key)
}

func scalar(tag, value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: value}
}

func number(n lua.LNumber) *yaml.Node {
	if i, ok := host.Integer(n); ok {
		return scalar("!!int", strconv.Itoa(i))
	}
	f := float64(n)
	switch {
	case math.IsNaN(f):
		return scalar("!!float", ".nan")
	case math.IsInf(f, 1):
		return scalar("!!float", ".inf")
	case math.IsInf(f, -1):
		return scalar("!!float", "-.inf")
	}
	return scalar("!!float", strconv.FormatFloat(f, 'g', -1, 64))
}

func (e *encoder) text(s string) (*yaml.Node, error) {
	if err := e.walk.Count(len(s)); err != nil {
		return nil, err
	}
	if !utf8.ValidString(s) {
		return scalar("", s), nil // becomes !!binary
	}
	node := scalar("!!str", s)
	if oldScalar(s) || strings.Contains(s, "\n") && !literal(s) {
		node.Style = yaml.DoubleQuotedStyle
	}
	return node, nil
}

// literal reports whether text of several lines may be written in literal style. The library writes text that begins
// with white space, or that has the rarer line breaks, in a way that it does not read again.
func literal(s string) bool {
	first, _ := utf8.DecodeRuneInString(s)
	return !unicode.IsSpace(first) && !strings.ContainsAny(s, "\u0085\u2028\u2029")
}

// oldScalar reports whether readers of YAML 1.1 take s for a boolean or a number in base 60. The library quotes what
// it would take for something else itself, and knows only YAML 1.2.
func oldScalar(s string) bool {
	switch strings.ToLower(s) {
	case "y", "yes", "on", "n", "no", "off":
		return true
	}
	return strings.Contains(s, ":") && base60.MatchString(s)
}

// base60 is the form of sexagesimal numbers: https://yaml.org/type/int.html and float.html.
var base60 = regexp.MustCompile(`^[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?$`)
