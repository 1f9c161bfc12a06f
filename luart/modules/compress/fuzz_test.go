// SPDX-License-Identifier: Apache-2.0

package compress_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/wippyrun/kit/luart/modules/compress"
)

// FuzzDecode gives the same data to every decoder, and every encoder's output of it back to its decoder.
func FuzzDecode(f *testing.F) {
	codecs := compress.Codecs()
	for _, text := range []string{"x", "hello, hello, hello", strings.Repeat("\x00", 5000), "\x1f\x8b", "\x28\xb5\x2f\xfd", "\x78\x9c"} {
		f.Add([]byte(text))
		for _, c := range codecs {
			packed, err := c.Encode(context.Background(), text, "")
			if err != nil {
				f.Fatal(err)
			}
			f.Add([]byte(packed))
		}
	}
	const limit = 1 << 20
	f.Fuzz(func(t *testing.T, data []byte) {
		for name, c := range codecs {
			if out, err := c.Decode(context.Background(), string(data), "", limit); err == nil && len(out) > limit {
				t.Errorf("%s made %d bytes", name, len(out))
			}
			if len(data) == 0 {
				continue
			}
			packed, err := c.Encode(context.Background(), string(data), "")
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if out, err := c.Decode(context.Background(), packed, "", len(data)); err != nil || out != string(data) {
				t.Errorf("%s: %q became %q, %v", name, data, out, err)
			}
		}
	})
}

// FuzzDictionary uses any bytes as a dictionary, and as samples for one.
func FuzzDictionary(f *testing.F) {
	var samples [][]byte
	for i := range 100 {
		samples = append(samples, fmt.Appendf(nil, `{"user":"u%d","event":"page_view","page":"/products/%d"}`, i, i*7))
	}
	dict, err := compress.Train(samples, 1024)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(dict, samples[0])
	f.Add(bytes.Join(samples, []byte("\n")), []byte("no dictionary"))
	c := compress.Codecs()["zstd"]
	f.Fuzz(func(t *testing.T, dict, data []byte) {
		if len(dict) == 0 || len(data) == 0 {
			return
		}
		if _, err := c.Decode(context.Background(), string(data), string(dict), 1<<20); err != nil && err.Error() == "" {
			t.Error("an error without a text")
		}
		check := func(dict []byte) {
			packed, err := c.Encode(context.Background(), string(data), string(dict))
			if err != nil {
				return
			}
			if out, err := c.Decode(context.Background(), packed, string(dict), len(data)); err != nil || out != string(data) {
				t.Errorf("%q became %q, %v", data, out, err)
			}
		}
		check(dict)
		if trained, err := compress.Train(bytes.Split(dict, []byte("\n")), 256); err == nil {
			check(trained)
		}
	})
}
