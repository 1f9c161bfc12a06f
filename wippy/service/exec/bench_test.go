// SPDX-License-Identifier: Apache-2.0

//go:build unix

package exec_test

import (
	"context"
	"io"
	osexec "os/exec"
	"testing"

	"github.com/wippyrun/kit/wippy/service/exec"
)

// BenchmarkRun starts a command, reads what it writes and waits for its end, beside the standard library.
func BenchmarkRun(b *testing.B) {
	b.Run("exec", func(b *testing.B) {
		all := exec.New()
		defer func() { _ = all.Stop(context.Background()) }()
		if err := all.Add(id, exec.Config{}); err != nil {
			b.Fatal(err)
		}
		e, err := all.Get(id)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			p, err := e.Command("echo hello", exec.Options{})
			if err != nil {
				b.Fatal(err)
			}
			out, err := p.Stdout()
			if err != nil {
				b.Fatal(err)
			}
			if err := p.Start(); err != nil {
				b.Fatal(err)
			}
			if text, err := io.ReadAll(out); len(text) != 6 || err != nil {
				b.Fatal(text, err)
			}
			if code, err := p.Wait(); code != 0 || err != nil {
				b.Fatal(code, err)
			}
			p.End()
		}
	})
	b.Run("os", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if text, err := osexec.Command("echo", "hello").Output(); len(text) != 6 || err != nil {
				b.Fatal(text, err)
			}
		}
	})
}

func BenchmarkSplit(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		exec.Split(`ffmpeg -i "in put.mp4" -vf 'scale=1:2' out.mp4`)
	}
}
