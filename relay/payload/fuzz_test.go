// SPDX-License-Identifier: Apache-2.0

package payload_test

import (
	"testing"

	"github.com/wippyrun/kit/relay/payload"
)

// FuzzTextFormats checks that no JSON or YAML input panics or runs away, and
// that what is read can be written in every format and read again.
func FuzzTextFormats(f *testing.F) {
	for _, s := range []string{"", "null", `{"a":[1,2.5,"x",true,null]}`, "a: 1\nb: [x, {1: y}]\n", "&a [*a]", "2024-01-01", "!!binary aGk=", "1: {<<: {a: b}}"} {
		f.Add(s)
	}
	tc := payload.NewDefault()
	f.Fuzz(func(t *testing.T, text string) {
		for _, from := range []payload.Format{payload.JSON, payload.YAML} {
			v, err := tc.Transcode(payload.Payload{Format: from, Data: text}, payload.Go)
			if err != nil {
				continue
			}
			for _, to := range []payload.Format{payload.YAML, payload.Msgpack} {
				p, err := tc.Transcode(v, to)
				if err != nil {
					t.Fatalf("%q read as %#v, to %s: %v", text, v.Data, to, err)
				}
				if _, err := tc.Transcode(p, payload.Go); err != nil {
					t.Fatalf("%q read as %#v, to %s gives %q: %v", text, v.Data, to, p.Data, err)
				}
			}
		}
	})
}
