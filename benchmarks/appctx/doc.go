// Package appctx measures reads of a sealed dictionary beside sync.Map and context
// values.
package appctx
