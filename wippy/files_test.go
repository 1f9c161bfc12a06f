// SPDX-License-Identifier: Apache-2.0

package wippy_test

import (
	"testing"
	"testing/fstest"

	"github.com/wippyrun/kit/wippy"
	"github.com/wippyrun/kit/wippy/system/fault"
)

// TestFilesOfTheProgram reads what the Go program carries.
func TestFilesOfTheProgram(t *testing.T) {
	files := map[string]string{
		"_index.yaml": index + "  - {name: assets, kind: fs.embed}\n  - {name: more, kind: fs.embed}\n" +
			"  - {name: read, kind: function.lua, source: \"file://read.lua\", method: main, modules: [fs]}\n",
		"read.lua": `return {main = function(id, name) return fs.get(id):readfile(name) end}`,
	}
	assets, more := fstest.MapFS{"a.txt": {Data: []byte("first")}}, fstest.MapFS{"b/c.txt": {Data: []byte("second")}}
	app := newApp(t, wippy.Dir(project(t, files)), wippy.Files("app:assets", assets), wippy.Files("app:more", more))
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][3]string{{"app:assets", "a.txt", "first"}, {"app:more", "/b/c.txt", "second"}} {
		if v, err := app.Call(t.Context(), "app:read", c[0], c[1]); err != nil || v != c[2] {
			t.Errorf("%v: %v, %v", c, v, err)
		}
	}
	if _, err := app.Call(t.Context(), "app:read", "app:assets", "b.txt"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("no such file: %v", err)
	}
	without := newApp(t, wippy.Dir(project(t, files)), wippy.Files("app:assets", assets))
	if err := without.Start(t.Context()); err == nil {
		t.Error("started without the files of app:more")
	}
}
