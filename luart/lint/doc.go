// SPDX-License-Identifier: Apache-2.0

// Package lint finds mistakes in typed-Lua sources without running them: what does not parse, what is required and not
// declared, and, on request, what is legal and probably not meant.
//
// # Basics
//
// [Check] looks at one [Source] and returns its [Diagnostic] list, sorted. [Diagnostic.Render] shows one to people, with the
// source line and a caret. Codes are stable:
//
//	P0001  the source does not parse or compile
//	E0000  value that does not fit a declared type
//	E0001  require of a name, or use of a module, that is not declared
//	E0002  call of what is no function
//	E0003  wrong number of arguments for a function of the same source
//	E0004  field that a record type does not have
//	E0010  function that may end without the results it declares
//	E0019  operand of the wrong type
//	W0001  empty then part or loop
//	W0002  assignment to a global variable
//	W0003  comparison of an expression with itself
//	W0004  local variable that is never read
//	W0005  parameter that is never read
//	W0006  required module that is never used
//	W0007  variable with the name of one around it
//	W0008  global variable that nothing defines
//	W0009  module that is declared and never used
//	W0010  import that is declared and never used
//
// P0001 and E0001 are always checked, the other E when types are asked for, W when rules are. Each code has one severity,
// see [Severity].
//
// # Guarantees
//
//   - A plain program that parses and requires only what it declares has no errors without rules
//     (TestPlainProgramsAreClean).
//   - Types are only checked where they are certain: literals, and variables, parameters and results whose declared type no
//     test at run time can narrow (TestTypeErrors, TestTypedProgramsAreClean).
//   - No source makes Check panic, and every diagnostic points into the source (FuzzCheck).
//   - The result does not depend on anything but the arguments, and Check may be called concurrently.
//
// # Caveats
//
// Variables are followed by scope, not by flow: a value that is overwritten before it is read goes unnoticed, and code
// that cannot be reached is checked like any other. Types are not inferred across assignments, generic functions,
// metatables and sources; what is unknown is never an error. Names that begin with "_" are exempt from W0004 to W0007.
package lint
