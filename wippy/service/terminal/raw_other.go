// SPDX-License-Identifier: Apache-2.0

//go:build !linux && !darwin && !dragonfly && !freebsd && !netbsd && !openbsd

package terminal

import "golang.org/x/term"

func makeRaw(fd int) (*term.State, error) { return term.MakeRaw(fd) }
