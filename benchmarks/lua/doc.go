// Package lua measures the Lua runtime beside gopher-lua, on which it is built.
package lua
