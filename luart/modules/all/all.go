// SPDX-License-Identifier: Apache-2.0

// Package all lists the modules, for hosts that offer all of them.
package all

import (
	"slices"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/base64"
	"github.com/wippyrun/kit/luart/modules/compress"
	"github.com/wippyrun/kit/luart/modules/crypto"
	"github.com/wippyrun/kit/luart/modules/excel"
	"github.com/wippyrun/kit/luart/modules/expr"
	"github.com/wippyrun/kit/luart/modules/hash"
	"github.com/wippyrun/kit/luart/modules/html"
	"github.com/wippyrun/kit/luart/modules/json"
	"github.com/wippyrun/kit/luart/modules/replay"
	"github.com/wippyrun/kit/luart/modules/text"
	"github.com/wippyrun/kit/luart/modules/treesitter"
	"github.com/wippyrun/kit/luart/modules/uuid"
	"github.com/wippyrun/kit/luart/modules/yaml"
)

// Modules returns every module that can be used without anything else, by name; treesitter is among them in programs
// built with the tag of that name. Processes whose history is kept
// get their random values through record, which may be nil.
func Modules(record replay.Recorder) []engine.Module {
	return slices.Concat([]engine.Module{
		base64.Module(),
		compress.Module(),
		crypto.Module(record),
		excel.Module(),
		expr.Module(),
		hash.Module(),
		html.Module(),
		json.Module(),
		text.Module(),
	}, treesitter.Modules(), []engine.Module{
		uuid.Module(record),
		yaml.Module(),
	})
}
