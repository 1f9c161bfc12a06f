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
// 0 and 1 for true and false, a string is printed.
func report(result payload.Payload, err error, stdout, stderr io.Writer) int {
	if err != nil {
		fmt.Fprintln(stderr, shorten(describe(err)))
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

// describe prefers the text with the traceback, for errors that have one.
func describe(err error) string {
	if t, ok := err.(interface{ Stack() string }); ok && t.Stack() != "" {
		return strings.TrimRight(t.Stack(), "\n")
	}
	return err.Error()
}

// shorten drops a prefix that stands twice: "P: P: rest" is "P: rest".
func shorten(text string) string {
	prefix, rest, ok := strings.Cut(text, ": ")
	if ok && strings.HasPrefix(rest, prefix+": ") {
		return rest
	}
	return text
}
