// SPDX-License-Identifier: Apache-2.0

// Command wippy runs applications made of YAML entries and Lua programs.
//
//	wippy init                  write wippy.lock
//	wippy run                   start the application in this directory, until Ctrl-C
//	wippy run -x app:main       run one process and exit with its result
//	wippy help run              everything else
package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/wippyrun/kit/wippy/system/logs"
)

func main() {
	os.Exit(Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// Main runs the program with the given arguments and streams and returns its
// exit code.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	c := &cli{stdin: stdin, stdout: stdout, stderr: stderr}
	root := c.root()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	if err := root.Execute(); err != nil {
		text := strings.TrimRight(err.Error(), "\n")
		if c.console {
			fmt.Fprintln(stderr, logs.Red(text))
		} else {
			fmt.Fprintln(stderr, "Error: "+text)
		}
		return 1
	}
	return c.exitCode
}
