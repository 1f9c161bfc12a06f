// SPDX-License-Identifier: Apache-2.0

package payload_test

import (
	"fmt"

	"github.com/wippyrun/kit/relay/payload"
)

func Example() {
	tc := payload.NewDefault()
	p := payload.Payload{Format: payload.YAML, Data: "name: box\nsizes: [1, 2]\n"}
	out, err := tc.Transcode(p, payload.JSON)
	fmt.Printf("%s %s %v\n", out.Format, out.Data, err)
	// Output: json/plain {"name":"box","sizes":[1,2]} <nil>
}

func ExampleTranscoder_Register() {
	const Celsius, Fahrenheit payload.Format = "temperature/c", "temperature/f"
	tc := payload.NewDefault()
	tc.Register(Celsius, Fahrenheit, 1, func(data any) (any, error) {
		return data.(float64)*9/5 + 32, nil
	})
	tc.Register(Fahrenheit, payload.Go, 1, func(data any) (any, error) { return data, nil })
	out, err := tc.Transcode(payload.Payload{Format: Celsius, Data: 100.0}, payload.String)
	fmt.Println(out.Data, err)
	// Output: 212 <nil>
}
