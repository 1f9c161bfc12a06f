// SPDX-License-Identifier: Apache-2.0

package source_test

import (
	"context"
	"fmt"
	"testing/fstest"

	"github.com/wippyrun/kit/registry/source"
)

func ExampleLoadFS() {
	files := fstest.MapFS{
		"_index.yaml": {Data: []byte("namespace: app\nentries:\n  - name: main\n    kind: process.lua\n    source: file://main.lua\n")},
		"main.lua":    {Data: []byte("return 1")},
	}
	entries, err := source.LoadFS(context.Background(), files, "src", source.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	e := entries[0]
	fmt.Println(e.ID, e.Kind, e.Data)
	fmt.Println(e.Position("data.source"))
	fmt.Println(e.Locate("data.source", 1, 8))
	// Output:
	// app:main process.lua map[source:return 1]
	// src/_index.yaml:5:13
	// src/main.lua:1:8
}

func ExampleLoad_problems() {
	files := fstest.MapFS{
		"a.yaml": {Data: []byte("namespace: app\nentries:\n  - name: main\n    knid: process.lua\n")},
		"b.yaml": {Data: []byte("namespace: app\nentries:\n  - {name: x, kind: k, source: file://gone.lua}\n")},
	}
	_, err := source.LoadFS(context.Background(), files, "src", source.Options{})
	fmt.Println(err)
	// Output:
	// src/a.yaml:3:5: entry[0].kind: kind is required and must be a non-empty string ("knid": did you mean "kind"?)
	// src/b.yaml:3:32: entries[0].source: interpolation failed: failed to read file src/gone.lua: file does not exist (create the file, or correct the path)
}
