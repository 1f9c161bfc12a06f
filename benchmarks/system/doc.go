// Package system measures whole applications: the runtime booted inside the benchmark,
// and the wippy program run the way a person runs it.
package system
