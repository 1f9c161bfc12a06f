// SPDX-License-Identifier: Apache-2.0

package syntax

import (
	"strconv"
	"strings"
)

// Limits of the text of a type, so that messages stay readable. What is beyond them becomes "...".
const (
	textDepth   = 6
	textNodes   = 200
	textMembers = 6
	textFields  = 8
	textParams  = 8
	textReturns = 6
	textBytes   = 800
)

// FormatType returns the text of a type for messages: arrays as T[], maps as {[K]: V}, functions as fun(a: T) -> R,
// whatever form the source used. Long types are cut with "...". Validators are not part of the text. A nil type is unknown.
func FormatType(t TypeNode) string {
	w := typeWriter{}
	w.typ(t, 0)
	if w.b.Len() > textBytes {
		return w.b.String()[:textBytes] + "..."
	}
	return w.b.String()
}

type typeWriter struct {
	b     strings.Builder
	nodes int
}

func (w *typeWriter) typ(t TypeNode, depth int) {
	w.nodes++
	if depth > textDepth || w.nodes > textNodes || w.b.Len() > textBytes {
		w.b.WriteString("...")
		return
	}
	switch t := t.(type) {
	case nil:
		w.b.WriteString("unknown")
	case *NilType:
		w.b.WriteString("nil")
	case *BoolLiteralType:
		w.b.WriteString(strconv.FormatBool(t.Value))
	case *StringLiteralType:
		w.b.WriteString(strconv.Quote(t.Value))
	case *NumberLiteralType:
		w.b.WriteString(strconv.FormatFloat(t.Value, 'g', -1, 64))
	case *NameType:
		w.name(t.Module, t.Name)
	case *GenericType:
		w.name(t.Module, t.Name)
		w.list("<", t.Args, ">", len(t.Args), depth)
	case *ArrayType:
		w.operand(t.Elem, depth)
		w.b.WriteString("[]")
	case *MapType:
		w.b.WriteString("{[")
		w.typ(t.Key, depth+1)
		w.b.WriteString("]: ")
		w.typ(t.Value, depth+1)
		w.b.WriteString("}")
	case *RecordType:
		w.record(t, depth)
	case *ReadonlyType:
		w.b.WriteString("readonly ")
		w.typ(t.Inner, depth+1)
	case *OptionalType:
		w.operand(t.Inner, depth)
		w.b.WriteString("?")
	case *UnionType:
		w.members(t.Members, " | ", depth)
	case *IntersectionType:
		w.members(t.Members, " & ", depth)
	case *FunctionType:
		w.function(t, depth)
	case *TypeofType:
		w.b.WriteString("typeof(...)")
	case *KeyofType:
		w.b.WriteString("keyof(")
		w.typ(t.Of, depth+1)
		w.b.WriteString(")")
	case *IndexType:
		w.operand(t.Of, depth)
		w.b.WriteString("[")
		w.typ(t.Key, depth+1)
		w.b.WriteString("]")
	case *ConditionalType:
		w.typ(t.Check, depth+1)
		w.b.WriteString(" extends ")
		w.typ(t.Extends, depth+1)
		w.b.WriteString(" ? ")
		w.typ(t.Then, depth+1)
		w.b.WriteString(" : ")
		w.typ(t.Else, depth+1)
	case *AssertsType:
		w.b.WriteString("asserts " + t.Param)
		if t.Is != nil {
			w.b.WriteString(" is ")
			w.typ(t.Is, depth+1)
		}
	case *ValidatedType:
		w.typ(t.Inner, depth)
	case *InterfaceType:
		w.b.WriteString("interface")
	}
}

func (w *typeWriter) name(module, name string) {
	if module != "" {
		w.b.WriteString(module + ".")
	}
	w.b.WriteString(name)
}

// operand writes the operand of a suffix, in parentheses where the suffix would otherwise bind to a part of it.
func (w *typeWriter) operand(t TypeNode, depth int) {
	inner := t
	if v, ok := inner.(*ValidatedType); ok {
		inner = v.Inner
	}
	switch inner.(type) {
	case *FunctionType, *UnionType, *IntersectionType, *ConditionalType, *ReadonlyType:
		w.b.WriteString("(")
		w.typ(t, depth+1)
		w.b.WriteString(")")
	default:
		w.typ(t, depth+1)
	}
}

func (w *typeWriter) members(list []TypeNode, separator string, depth int) {
	for i, m := range list {
		if i > 0 {
			w.b.WriteString(separator)
		}
		if i == textMembers {
			w.b.WriteString("...")
			return
		}
		if _, ok := m.(*FunctionType); ok {
			w.operand(m, depth)
		} else {
			w.typ(m, depth+1)
		}
	}
}

func (w *typeWriter) list(open string, list []TypeNode, closing string, limit, depth int) {
	w.b.WriteString(open)
	for i, t := range list {
		if i > 0 {
			w.b.WriteString(", ")
		}
		if i == limit {
			w.b.WriteString("...")
			break
		}
		w.typ(t, depth+1)
	}
	w.b.WriteString(closing)
}

func (w *typeWriter) record(t *RecordType, depth int) {
	w.b.WriteString("{")
	for i, f := range t.Fields {
		if i > 0 {
			w.b.WriteString(", ")
		}
		if i == textFields {
			w.b.WriteString("...")
			break
		}
		w.b.WriteString(f.Name)
		if f.Optional {
			w.b.WriteString("?")
		}
		w.b.WriteString(": ")
		w.typ(f.Type, depth+1)
	}
	w.b.WriteString("}")
}

func (w *typeWriter) function(t *FunctionType, depth int) {
	w.b.WriteString("fun(")
	for i, q := range t.Params {
		if i > 0 {
			w.b.WriteString(", ")
		}
		if i == textParams {
			w.b.WriteString("...")
			break
		}
		if q.Name != "" {
			w.b.WriteString(q.Name + ": ")
		}
		w.typ(q.Type, depth+1)
	}
	if t.Vararg != nil {
		if len(t.Params) > 0 {
			w.b.WriteString(", ")
		}
		w.b.WriteString("...")
		w.typ(t.Vararg, depth+1)
	}
	w.b.WriteString(")")
	switch {
	case t.NoReturns:
	case len(t.Returns) == 1:
		w.b.WriteString(" -> ")
		w.typ(t.Returns[0], depth+1)
	default:
		w.list(" -> (", t.Returns, ")", textReturns, depth)
	}
}
