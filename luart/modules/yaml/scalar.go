// SPDX-License-Identifier: Apache-2.0

package yaml

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	lua "github.com/yuin/gopher-lua"
	"go.yaml.in/yaml/v3"

	"github.com/wippyrun/kit/luart/modules/internal/host"
)

// plain reports whether a scalar is written without quotes and without a tag, so that its tag is what the text looks
// like.
func plain(n *yaml.Node) bool { return n.Style == 0 }

// scalarValue returns the value of a scalar.
func scalarValue(n *yaml.Node) (lua.LValue, error) {
	switch tag := n.ShortTag(); {
	case tag == "!!str":
		return lua.LString(n.Value), nil
	case tag == "!!null" && plain(n):
		return lua.LNil, nil
	case tag == "!!int" && plain(n) && usual(n.Value):
		i, err := strconv.Atoi(n.Value)
		if err == nil {
			return lua.LNumber(i), nil
		}
	}
	v, err := resolved(n)
	if err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case nil:
		return lua.LNil, nil
	case uint64:
		u, err := host.Unsigned(v)
		if err != nil {
			return nil, fail(n, "%v", err)
		}
		return u, nil
	case float64:
		if plain(n) && whole(n.Value) && math.Abs(v) >= 1<<63 {
			// Of an integer this large the first digits would be left.
			return nil, fail(n, "integer %s is out of range", n.Value)
		}
		return lua.LNumber(v), nil
	case time.Time:
		return lua.LNumber(v.Unix()), nil
	}
	lv, err := host.Lua(v)
	if err != nil {
		return nil, fail(n, "%v", err)
	}
	return lv, nil
}

// usual reports whether an integer is written in the usual way, as most are: it is decimal, without a leading zero,
// and so short that it is exact.
func usual(text string) bool {
	text = strings.TrimPrefix(text, "-")
	return len(text) <= 15 && (text == "0" || text != "" && text[0] >= '1' && text[0] <= '9')
}

// resolved returns what the library makes of a scalar: nil, bool, int, uint64, float64, string or time.Time.
func resolved(n *yaml.Node) (any, error) {
	var v any
	if err := n.Decode(&v); err != nil {
		return nil, fail(n, "%s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	return v, nil
}

// whole reports whether a text is an integer in decimal.
func whole(text string) bool { return strings.Trim(strings.TrimLeft(text, "+-"), "0123456789_") == "" }

// key returns the text of a key.
func (d *decoder) key(n *yaml.Node) (string, error) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind != yaml.ScalarNode {
		return "", fail(n, "invalid map key: a mapping or a sequence")
	}
	switch n.ShortTag() {
	case "!!str", "!!timestamp":
		return n.Value, nil
	case "!!null":
		return "null", nil
	}
	v, err := resolved(n)
	if err != nil {
		return "", err
	}
	return fmt.Sprint(v), nil
}
