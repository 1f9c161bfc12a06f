// SPDX-License-Identifier: Apache-2.0

package nearest_test

import (
	"testing"

	"github.com/wippyrun/kit/luart/internal/nearest"
)

func TestName(t *testing.T) {
	for _, tt := range []struct {
		name, want string
		candidates []string
	}{
		{"jsno", "json", []string{"yaml", "json"}},
		{"Print", "print", []string{"sprint", "print"}},
		{"hash", "", []string{"hash", "", "h", "uuid"}},
		{"tim", "dim", []string{"time", "dim"}},
		{"contract", "contact", []string{"contact", "context"}},
		{"ab", "", []string{"cd"}},
	} {
		if got, ok := nearest.Name(tt.name, tt.candidates); got != tt.want || ok != (tt.want != "") {
			t.Errorf("%q: %q, %v, want %q", tt.name, got, ok, tt.want)
		}
	}
}
