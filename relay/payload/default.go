// SPDX-License-Identifier: Apache-2.0

package payload

import (
	"encoding/json"

	"gopkg.in/yaml.v3"
)

// Costs of the default conversions. Going through text is dearer than any chain
// of two cheap conversions, so that a format which adds its own conversion from
// and to text, as Lua does, is preferred over the detour through a Go value.
const (
	costJSON    = 1
	costMsgpack = 1
	costYAML    = 2
	costText    = 3
)

// NewDefault makes a transcoder that converts between Go values and JSON, YAML,
// MessagePack, String and Bytes, in both directions:
//
//   - JSON is encoding/json's: objects are map[string]any, numbers float64.
//   - YAML reads the first document; map keys become strings. Whole floats are
//     written as integers.
//   - MessagePack integers are int64 or uint64 and map keys become strings.
//     Struct fields go by their json tag.
//   - A Go value becomes text as it is when it is text, in decimal when it is a
//     number, as nothing when it is nil, and as JSON otherwise.
//
// Values nested more than 1000 deep are refused.
func NewDefault() *Transcoder {
	t := NewTranscoder()
	t.Register(Go, JSON, costJSON, goToJSON)
	t.Register(JSON, Go, costJSON, jsonToGo)
	t.Register(Go, YAML, costYAML, goToYAML)
	t.Register(YAML, Go, costYAML, yamlToGo)
	t.Register(Go, Msgpack, costMsgpack, goToMsgpack)
	t.Register(Msgpack, Go, costMsgpack, msgpackToGo)
	t.Register(Go, String, costText, goToString)
	t.Register(String, Go, costText, stringToGo)
	t.Register(Go, Bytes, costText, goToBytes)
	t.Register(Bytes, Go, costText, bytesToGo)
	return t
}

func goToJSON(data any) (any, error) {
	if m, ok := data.(map[any]any); ok {
		p, err := plain(m, 0)
		if err != nil {
			return nil, err
		}
		data = p
	}
	return json.Marshal(data) // detects cycles itself
}

func jsonToGo(data any) (any, error) {
	b, err := octets(JSON, data)
	if err != nil {
		return nil, err
	}
	var v any
	if err := json.Unmarshal(b, &v); err != nil { // bounds nesting itself
		return nil, err
	}
	if err := bounded(v, 0); err != nil {
		return nil, err
	}
	return v, nil
}

func goToYAML(data any) (any, error) {
	v, err := plain(data, 0)
	if err != nil {
		return nil, err
	}
	return yaml.Marshal(v)
}

func yamlToGo(data any) (any, error) {
	b, err := octets(YAML, data)
	if err != nil {
		return nil, err
	}
	var v any
	if err := yaml.Unmarshal(b, &v); err != nil {
		return nil, err
	}
	return stringKeys(v, 0)
}

// stringKeys turns the map[any]any that YAML makes of maps with other keys into
// map[string]any, in place where the container stays.
func stringKeys(v any, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errDepth
	}
	var err error
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			if v[k], err = stringKeys(e, depth+1); err != nil {
				return nil, err
			}
		}
	case []any:
		for i, e := range v {
			if v[i], err = stringKeys(e, depth+1); err != nil {
				return nil, err
			}
		}
	case map[any]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			key, err := newKey(out, k)
			if err != nil {
				return nil, err
			}
			if out[key], err = stringKeys(e, depth+1); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return v, nil
}

func goToString(data any) (any, error) { return textOf(data) }

func stringToGo(data any) (any, error) {
	if s, ok := data.(string); ok {
		return s, nil
	}
	b, err := octets(String, data)
	if err != nil {
		return nil, err
	}
	return string(b), nil
}

func goToBytes(data any) (any, error) {
	if b, ok := data.([]byte); ok {
		return b, nil
	}
	s, err := textOf(data)
	return []byte(s), err
}

func bytesToGo(data any) (any, error) {
	b, err := octets(Bytes, data)
	if err != nil {
		return nil, err // not b: a nil []byte in an any is not nil
	}
	return b, nil
}
