// SPDX-License-Identifier: Apache-2.0

// Package templates is the Lua module templates, and the template sets behind it: HTML from Jet templates that can
// extend, import and include each other by name.
//
// # Basics
//
// A [Set] holds the sources of its templates and renders them. A [Library] holds sets by id; with the host's
// permission check it is all that [Module] needs:
//
//	sets := templates.NewLibrary()
//	err := sets.Add("app:views", templates.Defaults())
//	…
//	set, _ := sets.Set("app:views")
//	err = set.Add("greeting", "Hello, {{ name }}!")
//	…
//	e.Register(templates.Module(sets, nil))
//
// Names are paths: an include is relative to the template that contains it, one that begins with a slash is
// relative to the set. A name is tried as it is and then with each extension of the set. Output is HTML-escaped
// unless it goes through raw or unsafe.
//
// # Guarantees
//
//   - Sets may be used and changed by several goroutines. A change is seen by the next rendering, also in templates
//     that include or extend the changed one; renderings under way keep what they started with
//     (TestConcurrentRenderAndUpdate).
//   - No two renderings share a value that can change: globals are copied for each (TestGlobalsAreNotShared).
//   - A rendering ends: recursion, loops and output are bounded (TestRunawayTemplates), and it stops soon after its
//     context does (TestRenderingEndsWithItsContext). So does the parsing: templates that extend or import each other
//     in a circle are an error (TestCirclesAreErrors), and so are sources of more than 1 MiB and expressions of more
//     than 16 KiB.
//   - A template that panics is an error.
//
// # Caveats
//
// All templates of a set are parsed when the first one is rendered after a change. Concatenating strings with + is
// not bounded: templates are part of an application, not input from outside.
package templates
