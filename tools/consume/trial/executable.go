// SPDX-License-Identifier: Apache-2.0

package trial

import (
	"context"
	"fmt"
	"path"
	"path/filepath"
	"strings"
)

// Command tries a command: "go install" of a package below the module in dir gives a
// program, made of the content that the workspace has, whose output for args names
// the version that was asked for. The error is a *Failure.
func (s *Site) Command(ctx context.Context, dir, pkg string, args ...string) error {
	m, err := s.packed(dir)
	if err != nil {
		return err
	}
	if err := s.download(ctx, m); err != nil {
		return err
	}
	fail := func(step string, err error) error { return &Failure{Module: dir, Step: step, Err: err} }
	in := func(step string) command { return command{module: dir, step: step, dir: s.dir, env: s.env} }
	if _, err := s.run(ctx, in("install"), "go", "install", m.Path+"/"+pkg+"@"+m.Version.Version); err != nil {
		return err
	}
	suffix, err := s.run(ctx, in("suffix"), "go", "env", "GOEXE")
	if err != nil {
		return err
	}
	binary := filepath.Join(s.dir, "bin", path.Base(pkg)+strings.TrimSpace(suffix))
	printed, err := s.runInTime(ctx, in("run"), binary, args...)
	if err != nil {
		return err
	}
	if !strings.Contains(printed, m.Version.Version) {
		return fail("output", fmt.Errorf("%s %s does not name %s:\n%s", path.Base(pkg), strings.Join(args, " "), m.Version.Version, printed))
	}
	parts, err := binaryParts(binary)
	if err != nil {
		return fail("binary", err)
	}
	if err := checkNoTestModules(parts); err != nil {
		return fail("binary", err)
	}
	if err := s.checkSums(m, parts); err != nil {
		return fail("sums", err)
	}
	return nil
}
