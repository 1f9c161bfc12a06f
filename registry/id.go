// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"cmp"
	"strings"
)

// ID names an entry: a dotted namespace and a name. It is comparable.
type ID struct {
	Namespace, Name string
}

// NewID returns the ID of the two parts.
func NewID(namespace, name string) ID { return ID{Namespace: namespace, Name: name} }

// ParseID splits s at its first colon. A text without a colon is a name in the
// empty namespace.
func ParseID(s string) ID {
	ns, name, ok := strings.Cut(s, ":")
	if !ok {
		return ID{Name: s}
	}
	return ID{Namespace: ns, Name: name}
}

// IDText returns an id as entries may write it, a text or a map of ns and name, as a text;
// a map without ns names an entry of the same namespace. Whether v is an id is the second result.
func IDText(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case map[string]any:
		name, ok := v["name"].(string)
		switch ns, has := v["ns"].(string); {
		case !ok || name == "":
		case len(v) == 1:
			return name, true
		case len(v) == 2 && has:
			return ns + ":" + name, true
		}
	}
	return "", false
}

// Resolve is ParseID for references written inside an entry: a text without a
// colon is a name in the namespace of the referring entry.
func (id ID) Resolve(ref string) ID {
	ns, name, ok := strings.Cut(ref, ":")
	if !ok {
		return ID{Namespace: id.Namespace, Name: ref}
	}
	return ID{Namespace: ns, Name: name}
}

// String returns "namespace:name".
func (id ID) String() string { return id.Namespace + ":" + id.Name }

// IsZero reports whether both parts are empty.
func (id ID) IsZero() bool { return id == ID{} }

// Compare orders IDs by namespace, then by name.
func (id ID) Compare(o ID) int {
	return cmp.Or(strings.Compare(id.Namespace, o.Namespace), strings.Compare(id.Name, o.Name))
}

// MarshalText implements encoding.TextMarshaler.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (id *ID) UnmarshalText(text []byte) error {
	*id = ParseID(string(text))
	return nil
}

// braces is the form some error texts use.
func (id ID) braces() string { return "{ns: " + id.Namespace + ", name: " + id.Name + "}" }
