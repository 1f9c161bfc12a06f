// SPDX-License-Identifier: Apache-2.0

package env_test

import (
	"testing"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/wippy/lua/access"
	luaenv "github.com/wippyrun/kit/wippy/lua/env"
	"github.com/wippyrun/kit/wippy/lua/luatest"
	"github.com/wippyrun/kit/wippy/service/env"
)

func TestMain(m *testing.M) { luatest.Main(m) }

func system(t *testing.T, allow access.Check) *luatest.System {
	t.Helper()
	s := env.New()
	s.AddStorage("app:memory", env.NewMemory())
	s.AddStorage("app:static", env.Static{"FIXED": "1", "EMPTY": "", "SECRET": "s3cret"})
	for _, v := range []env.Variable{
		{ID: "app:color", Name: "COLOR", Storage: "app:memory", Default: "red"},
		{ID: "app:plain", Storage: "app:memory"},
		{ID: "app:locked", Name: "LOCKED", Storage: "app:memory", Default: "x", ReadOnly: true},
		{ID: "app:fixed", Name: "FIXED", Storage: "app:static"},
		{ID: "app:empty", Name: "EMPTY", Storage: "app:static", Default: "default"},
		{ID: "app:secret", Name: "SECRET", Storage: "app:static"},
		{ID: "app:lost", Name: "LOST", Storage: "app:nowhere"},
		{ID: "other:plain", Storage: "app:memory", Default: "another"},
	} {
		if err := s.AddVariable(v); err != nil {
			t.Fatal(err)
		}
	}
	return luatest.New(t, func(l *luatest.System) { l.Register(luaenv.Module(s, allow)) })
}

const tools = `
local function fails(kind, text, v, err)
	assert(v == nil, tostring(v))
	assert(err:kind() == kind and err:message() == text, err:kind() .. ": " .. err:message())
	assert(err:retryable() == false)
end
`

func TestVariables(t *testing.T) {
	system(t, nil).Check(t, tools+`
		assert(env.get("COLOR") == "red" and env.get("app:color") == "red" and env.get("color") == "red")
		assert(env.set("COLOR", "blue") == true and env.get("app:color") == "blue")
		assert(env.set("COLOR", 5) == true and env.get("COLOR") == "5")
		assert(env.set("COLOR", "") == true and env.get("COLOR") == "red", "an empty value counts as none")
		assert(env.get("EMPTY") == "default" and env.get("other:plain") == "another")
		fails("NotFound", "environment variable not found", env.get("plain"))
		fails("NotFound", "environment variable not found", env.get("NOPE"))
		fails("Invalid", "empty key", env.get(""))
		fails("Invalid", "empty key", env.set("", "x"))
		fails("NotFound", "environment variable not found", env.set("NOPE", "x"))
		fails("PermissionDenied", "environment variable is read-only", env.set("LOCKED", "y"))
		fails("PermissionDenied", "storage is read-only", env.set("FIXED", "2"))
		fails("NotFound", "environment storage backend not found", env.get("LOST"))
		assert(not pcall(env.get) and not pcall(env.set, "COLOR") and not pcall(env.set, "COLOR", {}))
		env.set("plain", "p")
		local all = env.get_all()
		assert(all.FIXED == "1" and all["app:plain"] == "p" and all.LOCKED == nil, "defaults do not appear")`)
}

func TestPermissions(t *testing.T) {
	system(t, func(_ *engine.Process, action, resource string, _ map[string]any) bool {
		return action == "env.get" && resource != "SECRET"
	}).Check(t, tools+`
		fails("PermissionDenied", "not allowed to access environment variable: SECRET", env.get("SECRET"))
		fails("PermissionDenied", "not allowed to set environment variable: COLOR", env.set("COLOR", "x"))
		assert(env.get("COLOR") == "red")
		local all = env.get_all()
		assert(all.SECRET == nil and all.FIXED == "1")`)
}
