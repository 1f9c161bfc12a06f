// SPDX-License-Identifier: Apache-2.0

// Package surroundings holds what the README examples leave to their readers: for
// each module the declarations that its example uses without making them, and what
// the program then prints.
package surroundings

import (
	"embed"
	"errors"
	"io/fs"
)

//go:embed *.go.txt
var files embed.FS

// For returns the Go file that surrounds the example of a module, "" when the
// example needs none.
func For(module string) (string, error) {
	data, err := files.ReadFile(module + ".go.txt")
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return string(data), err
}
