// SPDX-License-Identifier: Apache-2.0

package eventbus

// Event is one message on the bus. It is passed by value; Data is shared by every
// subscriber, which must not change what it refers to.
type Event struct {
	System string // the part of the application that speaks, such as "registry"
	Kind   string // what happened, such as "entry.create"
	Path   string // what it happened to, such as an entry id
	Data   any    // details, of a type that System and Kind imply
}

// Topic returns System and Kind joined by a dot. It allocates; the bus itself
// compares the two parts.
func (e Event) Topic() string { return e.System + "." + e.Kind }

// Pattern selects events. Each part is a wildcard pattern as described at
// [CompilePattern] and is matched on its own; an empty part matches everything.
type Pattern struct {
	System string
	Kind   string
}

// Match reports whether the pattern selects e. It compiles the pattern anew; the
// bus compiles it once, when subscribing.
func (p Pattern) Match(e Event) bool {
	system, kind := p.compile()
	return system.Match(e.System) && kind.Match(e.Kind)
}

// String returns the two parts joined by a dot, an empty part as "**".
func (p Pattern) String() string {
	system, kind := p.parts()
	return system + "." + kind
}

func (p Pattern) compile() (system, kind Matcher) {
	s, k := p.parts()
	return CompilePattern(s), CompilePattern(k)
}

func (p Pattern) parts() (system, kind string) {
	system, kind = p.System, p.Kind
	if system == "" {
		system = "**"
	}
	if kind == "" {
		kind = "**"
	}
	return system, kind
}
