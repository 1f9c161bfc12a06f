// SPDX-License-Identifier: Apache-2.0

package html_test

import (
	"testing"

	"github.com/wippyrun/kit/luart/modules/html"
	"github.com/wippyrun/kit/luart/modules/internal/moduletest"
)

// Markup that never closes what it opens is read like any other.
func TestAttackDeepMarkup(t *testing.T) {
	moduletest.New(t, html.Module()).Check(t, `
		local p = html.sanitize.ugc_policy()
		assert(#p:sanitize(("<b>"):rep(2e5)) > 0)
		assert(p:sanitize(("<"):rep(2e5)):find("<", 1, true) == nil)
		assert(#p:sanitize("<a href='" .. ("x"):rep(1e6)) < 2e6)
		assert(html.sanitize.strict_policy():sanitize(("<div>"):rep(1e5) .. "x" .. ("</div>"):rep(1e5)) == "x")`)
}
