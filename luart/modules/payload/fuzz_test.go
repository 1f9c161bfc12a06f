// SPDX-License-Identifier: Apache-2.0

package payload_test

import (
	"testing"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/payload"
	relay "github.com/wippyrun/kit/relay/payload"
)

// FuzzToLua reads any bytes as each of the formats. What can be read as a Lua value can be written to Go data and to
// MessagePack, and read again.
func FuzzToLua(f *testing.F) {
	for _, s := range []string{
		"", "null", `{"a":[1,2.5,"x",null]}`, "a: 1\nb: [x]\n2: y\n", "\x82\xa1a\x01\xa1b\x93\x01\xc0\x02", "\xcf\xff\xff\xff\xff\xff\xff\xff\xff",
		"2024-01-01", "- &a [*a]", `{"a":{"":1,"b":9007199254740993}}`, "\xd6\xff\x00\x00\x00\x01",
	} {
		f.Add([]byte(s))
	}
	e := engine.New()
	payload.Register(e)
	tc := e.Transcoder()
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, from := range []relay.Format{relay.JSON, relay.YAML, relay.Msgpack, relay.String, relay.Bytes} {
			p, err := tc.Transcode(relay.Payload{Format: from, Data: data}, relay.Lua)
			if err != nil {
				continue
			}
			for _, to := range []relay.Format{relay.Go, relay.Msgpack} {
				q, err := tc.Transcode(p, to)
				if err != nil {
					continue // a list with too many holes
				}
				if _, err := tc.Transcode(q, relay.Lua); err != nil {
					t.Errorf("%s %q as %s: %v", from, data, to, err)
				}
			}
		}
	})
}
