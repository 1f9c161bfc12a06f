// SPDX-License-Identifier: Apache-2.0

package registry

// Entry is one definition: what it is (Kind), labels for finding it (Meta) and its
// configuration (Data). Meta and Data hold JSON-like values only: map[string]any,
// []any, string, float64, bool and nil.
//
// Once an entry is in a registry its maps and slices are shared by every version
// and reader; nobody may change them. Use Clone to get a copy that may be changed.
type Entry struct {
	ID   ID             `json:"id"`
	Kind string         `json:"kind"`
	Meta map[string]any `json:"meta,omitempty"`
	Data any            `json:"data,omitempty"`
	// Origin tells where the entry was written. It is nil for entries that do not
	// come from a file and takes no part in equality or history.
	Origin *Origin `json:"-"`
}

// Equal reports whether both entries have the same ID, kind, metadata and data. A
// nil map equals an empty one.
func (e Entry) Equal(o Entry) bool {
	return e.ID == o.ID && e.Kind == o.Kind && EqualValues(mapOrNil(e.Meta), mapOrNil(o.Meta)) && EqualValues(e.Data, o.Data)
}

// Clone returns a deep copy, which shares only the Origin.
func (e Entry) Clone() Entry {
	if e.Meta != nil {
		e.Meta = CloneValue(e.Meta).(map[string]any)
	}
	e.Data = CloneValue(e.Data)
	return e
}

// Field returns the value at a dotted path such as "kind", "meta.type" or
// "data.pool.size". At every level the whole remaining path is tried as one key
// first, so keys that contain dots are reachable.
func (e Entry) Field(path string) (any, bool) {
	area, rest, nested := cutPath(path)
	switch area {
	case "kind":
		return e.Kind, !nested
	case "name":
		return e.ID.Name, !nested
	case "namespace", "ns":
		return e.ID.Namespace, !nested
	case "id":
		return e.ID.String(), !nested
	case "meta":
		if !nested {
			return e.Meta, e.Meta != nil
		}
		return Lookup(e.Meta, rest)
	case "data":
		if !nested {
			return e.Data, e.Data != nil
		}
		return Lookup(e.Data, rest)
	}
	return nil, false
}

// MetaString returns the metadata field as a string, or "" when it is missing or of
// another type.
func (e Entry) MetaString(field string) string {
	s, _ := e.Meta[field].(string)
	return s
}

func mapOrNil(m map[string]any) any {
	if len(m) == 0 {
		return nil
	}
	return m
}
