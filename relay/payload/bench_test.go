// SPDX-License-Identifier: Apache-2.0

package payload_test

import (
	"encoding/json"
	"testing"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/wippyrun/kit/relay/payload"
)

var order = map[string]any{
	"id": "A-1001", "total": 149.9, "paid": true,
	"items": []any{
		map[string]any{"sku": "x-1", "count": 2.0, "price": 49.95},
		map[string]any{"sku": "x-2", "count": 1.0, "price": 50.0},
	},
}

func BenchmarkTranscodeSameFormat(b *testing.B) {
	tc, p := payload.NewDefault(), payload.New(order)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tc.Transcode(p, payload.Go); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTranscodeCachedPath(b *testing.B) {
	keep := func(v any) (any, error) { return v, nil }
	tc := payload.NewDefault()
	tc.Register("x", payload.Go, 1, keep)
	tc.Register(payload.Go, "y", 1, keep)
	p := payload.Payload{Format: "x", Data: "data"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tc.Transcode(p, "y"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTranscodeGoToJSON(b *testing.B) {
	tc, p := payload.NewDefault(), payload.New(order)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tc.Transcode(p, payload.JSON); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPeerJSONMarshal(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := json.Marshal(order); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTranscodeMsgpackToGo(b *testing.B) {
	data, err := msgpack.Marshal(order)
	if err != nil {
		b.Fatal(err)
	}
	tc, p := payload.NewDefault(), payload.Payload{Format: payload.Msgpack, Data: data}
	b.ReportAllocs()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := tc.Transcode(p, payload.Go); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPeerMsgpackUnmarshal(b *testing.B) {
	data, err := msgpack.Marshal(order)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		var v any
		if err := msgpack.Unmarshal(data, &v); err != nil {
			b.Fatal(err)
		}
	}
}
