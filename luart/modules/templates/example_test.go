// SPDX-License-Identifier: Apache-2.0

package templates_test

import (
	"context"
	"fmt"

	"github.com/wippyrun/kit/luart/modules/templates"
)

func Example() {
	sets := templates.NewLibrary()
	if err := sets.Add("app:views", templates.Defaults()); err != nil {
		panic(err)
	}
	set, err := sets.Set("app:views")
	if err != nil {
		panic(err)
	}
	for name, source := range map[string]string{
		"layout": `<h1>{{ yield title() }}</h1>`,
		"home":   `{{ extends "layout" }}{{ block title() }}Hello, {{ name }}!{{ end }}`,
	} {
		if err := set.Add(name, source); err != nil {
			panic(err)
		}
	}
	text, err := set.Render(context.Background(), "home", map[string]any{"name": "<you>"})
	fmt.Println(text, err)
	// Output: <h1>Hello, &lt;you&gt;!</h1> <nil>
}
