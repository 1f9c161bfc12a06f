// SPDX-License-Identifier: Apache-2.0

package exec

import "strings"

// Split takes a command line apart: at spaces, and at nothing else. Single and double quotes
// hold text together, each literal within the other; there are no escapes. Quoted and
// plain parts that touch are one argument, and a pair of quotes with nothing between them
// is an empty one. A quote that is never closed is plain text, and so is all that follows.
func Split(line string) []string {
	var (
		args []string
		arg  strings.Builder
		open bool // an argument has begun, be it empty
	)
	for i := 0; i < len(line); i++ {
		switch c := line[i]; c {
		case ' ':
			if open {
				args = append(args, arg.String())
				arg.Reset()
				open = false
			}
		case '\'', '"':
			open = true
			n := strings.IndexByte(line[i+1:], c)
			if n < 0 {
				arg.WriteString(line[i:])
				i = len(line)
				continue
			}
			arg.WriteString(line[i+1 : i+1+n])
			i += n + 1
		default:
			open = true
			arg.WriteByte(c)
		}
	}
	if open {
		args = append(args, arg.String())
	}
	return args
}
