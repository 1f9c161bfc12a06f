// SPDX-License-Identifier: Apache-2.0

package stage_test

import (
	"context"
	"fmt"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/registry/stage"
)

func ExamplePipeline() {
	entries := []registry.Entry{
		{ID: registry.NewID("app", "gateway"), Kind: "http.service", Data: map[string]any{"addr": ":8080"}},
		{ID: registry.NewID("app.dev", "debug"), Kind: "http.endpoint"},
	}
	overrides := stage.Override(map[string]any{"app:gateway:addr": ":9090"}, stage.OverrideOptions{})
	disable := stage.Disable(stage.DisableConfig{Namespaces: []string{"app.dev.**"}})
	p := stage.NewPipeline(overrides, disable, stage.Link(stage.LinkOptions{}), overrides)
	entries, err := p.Run(context.Background(), entries)
	for _, e := range entries {
		fmt.Println(e.ID, e.Data)
	}
	fmt.Println(err)
	// Output:
	// app:gateway map[addr::9090]
	// <nil>
}
