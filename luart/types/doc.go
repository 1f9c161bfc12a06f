// SPDX-License-Identifier: Apache-2.0

// Package types makes the types that a typed-Lua chunk declares available while it runs: they can validate values, be
// compared and be looked into.
//
// # Basics
//
// [NewSet] builds the types of a parsed chunk; [Type.Validate] checks a Lua value and returns a [Failure] that names the
// place, the expectation and what was found. [NewBinding] turns types into Lua values with the operations T(v), T:is(v),
// G(T), ==, <, <=, field access and reflection. A host binds the declared names as globals of the chunk.
//
// # Guarantees
//
//   - Types, sets and bindings are safe for concurrent use, and values of types may be shared by any number of Lua
//     states (TestTypesAreSafeForConcurrentUse).
//   - Declarations may refer to each other in any order and to themselves; following a cyclic value or type ends
//     (TestRecursiveTypes).
//   - Validation calls no metamethods, changes nothing, and allocates nothing for a value that passes
//     (TestValidationOfAGoodValueAllocatesNothing).
//
// # Caveats
//
// Validation walks the whole value. Static types are known to typeof(e) for annotated and literal locals at the top level
// of the chunk, for literals and for table constructors; other expressions are unknown, which accepts everything.
package types
