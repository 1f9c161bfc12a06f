// SPDX-License-Identifier: Apache-2.0

package session

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	luajson "github.com/wippyrun/kit/luart/modules/json"
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
)

// Encode returns a payload as JSON: text as a string, JSON as it is, values as objects and arrays, bytes as a string
// in base64. A Lua string that is no text counts as bytes.
func (h *Host) Encode(p payload.Payload) ([]byte, error) {
	switch p.Format {
	case payload.Lua:
		return h.encodeLua(p)
	case payload.Bytes:
		if b, ok := p.Data.([]byte); ok {
			return json.Marshal(b)
		}
	case payload.String:
		switch v := p.Data.(type) {
		case string:
			return text(v)
		case []byte:
			return text(string(v))
		}
	case payload.JSON:
		// Marshal refuses what is no JSON, and leaves out the space between.
		switch v := p.Data.(type) {
		case string:
			return json.Marshal(json.RawMessage(v))
		case []byte:
			return json.Marshal(json.RawMessage(v))
		}
	case payload.Error:
		return text(fmt.Sprint(p.Data))
	case "":
		return json.Marshal(p.Data)
	}
	q, err := h.Transcoder.Transcode(p, payload.JSON)
	if err != nil {
		return nil, err
	}
	b, ok := q.Data.([]byte)
	if !ok {
		return nil, fmt.Errorf("payload of format %s holds a %T", p.Format, p.Data)
	}
	return b, nil
}

func (h *Host) encodeLua(p payload.Payload) ([]byte, error) {
	switch v := p.Data.(type) {
	case lua.LString:
		return text(string(v))
	case lua.LValue:
		if inner, ok := engine.AsPayload(v); ok {
			return h.Encode(inner)
		}
		if err, ok := engine.AsError(v); ok {
			return text(err.Error())
		}
		s, err := luajson.Encode(v)
		return []byte(s), err
	}
	return json.Marshal(p.Data)
}

// text is a string as JSON, in base64 when it is no text.
func text(s string) ([]byte, error) {
	if !utf8.ValidString(s) {
		s = base64.StdEncoding.EncodeToString([]byte(s))
	}
	return json.Marshal(s)
}

// Text returns what a payload says when it is a text.
func Text(p payload.Payload) (string, bool) {
	switch v := p.Data.(type) {
	case lua.LString:
		return string(v), true
	case string:
		if p.Format == payload.String || p.Format == payload.Go || p.Format == "" {
			return v, true
		}
	case *lua.LUserData:
		if inner, ok := engine.AsPayload(v); ok {
			return Text(inner)
		}
	}
	return "", false
}

// Fields returns the members of a message with a table or an object of JSON, also as text.
func (h *Host) Fields(m *relay.Message) (map[string]any, error) {
	b, err := h.Encode(m.Payload())
	if err != nil {
		return nil, err
	}
	if s, ok := Text(m.Payload()); ok {
		b = []byte(s)
	}
	out := map[string]any{}
	if string(b) == "[]" {
		return out, nil // an empty table
	}
	if err := json.Unmarshal(b, &out); err != nil {
		return nil, err
	}
	return out, nil
}
