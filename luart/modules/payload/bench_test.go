// SPDX-License-Identifier: Apache-2.0

package payload_test

import (
	"testing"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/payload"
	relay "github.com/wippyrun/kit/relay/payload"
)

// order is a Lua table such as programs send.
func order() lua.LValue {
	item := func(sku string, price float64) lua.LValue {
		t := engine.NewObject(2)
		t.RawSetString("sku", lua.LString(sku))
		t.RawSetString("price", lua.LNumber(price))
		return t
	}
	items := engine.NewArray(2)
	items.RawSetInt(1, item("x-1", 49.95))
	items.RawSetInt(2, item("x-2", 50))
	t := engine.NewObject(3)
	t.RawSetString("id", lua.LString("A-1001"))
	t.RawSetString("paid", lua.LTrue)
	t.RawSetString("items", items)
	return t
}

// BenchmarkTranscode converts a Lua value to each format. Plain are the engine's own conversions.
func BenchmarkTranscode(b *testing.B) {
	plain, full := engine.New(), engine.New()
	payload.Register(full)
	p := relay.Payload{Format: relay.Lua, Data: order()}
	for _, c := range []struct {
		name string
		e    *engine.Engine
	}{{"plain", plain}, {"full", full}} {
		for _, to := range []relay.Format{relay.JSON, relay.Msgpack, relay.YAML} {
			b.Run(c.name+"/"+string(to), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := c.e.Transcoder().Transcode(p, to); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
