// SPDX-License-Identifier: Apache-2.0

package trial

import (
	"context"
	"time"

	"golang.org/x/mod/module"

	"github.com/wippyrun/kit/tools/check/repo"
	"github.com/wippyrun/kit/tools/pack"
)

// Sums is sums.
type Sums = sums

var (
	CheckNoTestModules = checkNoTestModules
	ParseGraph         = parseGraph
	ReadSums           = readSums
)

// SiteOf makes a site that can only check.
func SiteOf(rp *repo.Repo, modules map[string]*pack.Module) *Site {
	return &Site{rp: rp, modules: modules}
}

// CheckModules is checkModules.
func (s *Site) CheckModules(m *pack.Module, all, added []module.Version) error {
	return s.checkModules(m, all, added)
}

// CheckSums is checkSums.
func (s *Site) CheckSums(m *pack.Module, got sums) error { return s.checkSums(m, got) }

// RunWithPatience runs a program that must end before patience does.
func RunWithPatience(ctx context.Context, patience time.Duration, name string, args ...string) error {
	s := &Site{patience: patience}
	_, err := s.runInTime(ctx, command{module: "m", step: "run"}, name, args...)
	return err
}
