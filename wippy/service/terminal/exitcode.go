// SPDX-License-Identifier: Apache-2.0

package terminal

import (
	"fmt"
	"io"
	"math"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/relay/payload"
)

// report writes what a process ended with and returns the exit code of the
// program: 1 and the text on stderr for an error, a number's integer part,
// 0 and 1 for true and false, a string is printed. advise, if set, tells the place
// of an error in the files, and a hint.
func report(result payload.Payload, err error, advise func(error) (at, hint string), stdout, stderr io.Writer) int {
	if err != nil {
		at, hint := "", ""
		if advise != nil {
			at, hint = advise(err)
		}
		fmt.Fprintln(stderr, describe(err, at, hint))
		return 1
	}
	switch v := result.Data.(type) {
	case string:
		return printed(v, stdout)
	case lua.LString:
		return printed(string(v), stdout)
	case float64:
		return code(v)
	case int:
		return v
	case lua.LNumber:
		return code(float64(v))
	case bool:
		return truth(v)
	case lua.LBool:
		return truth(bool(v))
	}
	return 0
}

func printed(text string, stdout io.Writer) int {
	if text != "" {
		fmt.Fprintln(stdout, text)
	}
	return 0
}

func code(n float64) int {
	if math.IsNaN(n) || math.IsInf(n, 0) {
		return 1
	}
	return int(n)
}

func truth(v bool) int {
	if v {
		return 0
	}
	return 1
}

// describe is the message, where in the files the error came to be, the hint, and
// the traceback of errors that have one.
func describe(err error, at, hint string) string {
	var b strings.Builder
	b.WriteString(shorten(err.Error()))
	if at != "" {
		b.WriteString("\n  at " + at)
	}
	if hint != "" {
		hint = "\n  hint: " + hint
		b.WriteString(hint)
	}
	if t, ok := err.(interface{ Stack() string }); ok {
		if more, ok := strings.CutPrefix(strings.TrimRight(t.Stack(), "\n"), err.Error()); ok {
			b.WriteString(strings.Replace(more, hint, "", 1))
		}
	}
	return b.String()
}

// shorten drops a prefix that stands twice: "P: P: rest" is "P: rest".
func shorten(text string) string {
	prefix, rest, ok := strings.Cut(text, ": ")
	if ok && strings.HasPrefix(rest, prefix+": ") {
		return rest
	}
	return text
}
