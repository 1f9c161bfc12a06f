// SPDX-License-Identifier: Apache-2.0

package payload

// Format names the representation of a payload's data.
type Format string

// The formats of the runtime. Programs may use others of their own.
const (
	// JSON is JSON text, a string or []byte.
	JSON Format = "json/plain"
	// YAML is YAML text, a string or []byte.
	YAML Format = "yaml/plain"
	// String is a string.
	String Format = "text/plain"
	// Bytes is a []byte.
	Bytes Format = "application/octet-stream"
	// Msgpack is MessagePack data, a []byte.
	Msgpack Format = "application/msgpack"
	// Lua is a Lua value in the form the Lua runtime passes between processes.
	Lua Format = "lua/any"
	// Go is any Go value.
	Go Format = "golang/any"
	// Error is a Go error.
	Error Format = "golang/error"
)

// Payload is a value and its format. It is immutable once it is sent: whoever
// receives it may keep the data and must not change it.
type Payload struct {
	// Format says how to read Data.
	Format Format
	// Data is the value.
	Data any
}

// New makes a payload of a Go value: format Error for an error, else Go.
func New(v any) Payload {
	if err, ok := v.(error); ok {
		return Payload{Format: Error, Data: err}
	}
	return Payload{Format: Go, Data: v}
}

// String returns "payload{format=...}": payloads are data, not text for logs.
func (p Payload) String() string { return "payload{format=" + string(p.Format) + "}" }
