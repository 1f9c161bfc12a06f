// SPDX-License-Identifier: Apache-2.0

package stage_test

import (
	"context"
	"fmt"
	"io/fs"
	"testing/fstest"

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

func ExampleExpand() {
	e := registry.Entry{ID: registry.NewID("app", "gateway"), Kind: "http.service", Data: map[string]any{
		"addr":  "${env:HOST|localhost}:${PORT|8080}",
		"limit": "${env:LIMIT|100}",
	}}
	values := map[string]string{"HOST": "0.0.0.0", "LIMIT": "250"}
	e, err := stage.Expand(e, func(name string) (value string, set, known bool) {
		value, set = values[name]
		return value, set, set
	})
	fmt.Printf("%v %v\n", e.Data, err)
	// Output:
	// map[addr:0.0.0.0:8080 limit:250] <nil>
}

func ExampleEmbed() {
	entries := []registry.Entry{{ID: registry.NewID("app", "public"), Kind: "fs.directory", Data: map[string]any{"directory": "web"}}}
	open := func(_ registry.Entry, directory string) (fs.FS, error) {
		return fstest.MapFS{"index.html": {Data: []byte("<p>" + directory)}}, nil
	}
	attach := func(id registry.ID, content fs.FS) error {
		page, err := fs.ReadFile(content, "index.html")
		fmt.Printf("%v holds %s\n", id, page)
		return err
	}
	entries, err := stage.NewPipeline(stage.Embed(open, attach, stage.EmbedOptions{})).Run(context.Background(), entries)
	fmt.Println(entries[0].Kind, err)
	// Output:
	// app:public holds <p>web
	// fs.embed <nil>
}
