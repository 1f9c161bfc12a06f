// SPDX-License-Identifier: Apache-2.0

package process

import (
	"context"
	"fmt"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/scheduler"
	"github.com/wippyrun/kit/wippy/lua/access"
	"github.com/wippyrun/kit/wippy/system/factory"
)

// upgrade implements process.upgrade(id, ...): the process goes on as another program, or as the newest version of
// its own, under the same id. It does not return; a program that cannot be started ends the process.
func (m *module) upgrade(L *lua.LState) int {
	p := engine.From(L)
	id := L.OptString(1, "")
	if id == "" {
		id = p.SourceID()
	}
	if m.Forbidden != nil && m.Forbidden(p, "process.upgrade", id, attributes(p)) {
		return denied(L, "not allowed to upgrade process: "+id)
	}
	create := func(ctx context.Context) (scheduler.Process, error) {
		request := factory.Request{PID: p.PID(), Frame: access.Frame(p), Messages: p.TakeMessages()}
		next, _, err := m.Factories.New(ctx, id, request)
		if err != nil {
			return nil, upgradeFailed(err)
		}
		return successor{next}, nil
	}
	return engine.Upgrade(L, create, "", engine.Payloads(L, 2))
}

// successor says what failed when a program that takes over cannot be started.
type successor struct{ scheduler.Process }

// Init implements scheduler.Process.
func (s successor) Init(ctx context.Context, method string, input any) error {
	if err := s.Process.Init(ctx, method, input); err != nil {
		return upgradeFailed(err)
	}
	return nil
}

func upgradeFailed(err error) error { return fmt.Errorf("create failed: %w", err) }
