// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// appendQuery appends an unambiguous text of the query, equal for equal queries.
func appendQuery(b []byte, q map[string]any) []byte {
	var room [8]string
	keys := room[:0]
	for k := range q {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	b = binary.AppendUvarint(b, uint64(len(keys)))
	for _, k := range keys {
		b = appendText(b, k)
		b = appendValue(b, q[k])
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendValue(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, 'n')
	case string:
		return appendText(append(b, 's'), v)
	case bool:
		if v {
			return append(b, 't')
		}
		return append(b, 'f')
	case float64:
		return binary.BigEndian.AppendUint64(append(b, 'd'), math.Float64bits(v))
	case []any:
		b = binary.AppendUvarint(append(b, 'l'), uint64(len(v)))
		for _, x := range v {
			b = appendValue(b, x)
		}
		return b
	case map[string]any:
		return appendQuery(append(b, 'm'), v)
	}
	if n, err := NormalizeValue(v); err == nil {
		return appendValue(b, n)
	}
	return appendText(append(b, '?'), fmt.Sprintf("%T %v", v, v))
}
